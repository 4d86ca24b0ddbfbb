"""What is allowed: pure functions without I/O, each with its rule id."""
