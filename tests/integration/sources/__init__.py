"""Files read as a person hands them over, workbooks by a child process of their own."""
