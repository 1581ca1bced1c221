"""Compares what OneLead told the CRMs with what they hold, and mends what is OneLead's to mend."""
