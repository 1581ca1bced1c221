"""What is shipped, under which licences: read from the locks and the installed packages, offline."""
