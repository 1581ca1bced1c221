"""One file for each command of `onelead`."""
