"""What `onelead notify` shows: the sinks and routes in words, messages as they would go out."""
