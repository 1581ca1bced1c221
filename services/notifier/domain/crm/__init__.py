"""A lead as a CRM keeps it: what is written there, what people do with it, how both compare."""
