"""What `onelead notify` says, without a running OneLead."""
