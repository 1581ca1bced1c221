"""Flawed rows of an import as a workbook: written to be mended by a person, and read again."""
