"""The services, bundle and margin recommended for a lead."""
