"""The `onelead` command and the one-machine edition: the only place that may import several services."""
