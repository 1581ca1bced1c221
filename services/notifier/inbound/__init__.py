"""What comes back from outside: changes in CRMs, asked for or posted, and people who unsubscribe."""
