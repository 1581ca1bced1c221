"""Attaches services, bundle and margin to each scored lead and publishes the whole lead."""
