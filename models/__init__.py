"""What is stored: one module per aggregate: fields, states, transitions, constraints, queries."""
