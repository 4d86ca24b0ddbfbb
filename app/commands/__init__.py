"""What the longer commands of `premia` do."""
