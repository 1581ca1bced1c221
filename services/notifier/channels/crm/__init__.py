"""The CRMs: a sink that keeps a record of each lead, is asked for what people changed, and compared."""
