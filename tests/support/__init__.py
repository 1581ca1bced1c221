"""What tests share: builders, fakes, the stack."""
