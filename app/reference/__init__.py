"""Reference facts as CSV files: regions, banks, rates, tiers."""
