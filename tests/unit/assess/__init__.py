"""The assessment of files in memory."""
