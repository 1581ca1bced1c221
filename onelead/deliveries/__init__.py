"""The parts of `onelead deliveries`: what was told to whom, and a person's word about it."""
