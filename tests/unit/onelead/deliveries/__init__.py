"""What `onelead deliveries` says of deliveries and sinks."""
