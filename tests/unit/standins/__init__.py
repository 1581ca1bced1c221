"""The stand-ins judged without a network: what they refuse, count and show."""
