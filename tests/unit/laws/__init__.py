"""Laws of the whole path, from rows to scored leads."""
