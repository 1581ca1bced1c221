"""What ingest decides, pure: rows judged, names linked, accounts profiled, leads detected."""
