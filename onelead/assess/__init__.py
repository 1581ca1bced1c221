"""What leads would there be? The whole path in memory, by the domains of the services alone."""
