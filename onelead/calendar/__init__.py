"""What time alone will do: leads that fire, cross a threshold or end, by week."""
