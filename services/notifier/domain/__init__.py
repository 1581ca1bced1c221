"""Pure decisions of the notifier: who is told what, and what an attempt's outcome leads to."""
