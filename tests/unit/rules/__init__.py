"""How the rules file is read, laid over the defaults, and refused."""
