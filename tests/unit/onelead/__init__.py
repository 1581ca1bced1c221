"""Unit tests of the `onelead` command."""
