"""A tenant under other rules, in the shadow."""
