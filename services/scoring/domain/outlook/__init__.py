"""What would move a score: time, the least change of one input, the dates that are missing."""
