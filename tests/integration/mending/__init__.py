"""Flawed rows as a workbook: written, mended, read again."""
