"""Reads what tenants have: workbooks and CSV files as tables, tables as events, and judges each row."""
