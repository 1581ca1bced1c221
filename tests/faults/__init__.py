"""The fault battery: breaks a real stack on purpose and judges its history (`make faults`)."""
