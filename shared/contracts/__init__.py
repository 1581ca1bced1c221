"""What OneLead promises to those who read and write its topics: schemas, AsyncAPI, compatibility."""
