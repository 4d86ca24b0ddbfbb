"""What clients see: one module per aggregate."""
