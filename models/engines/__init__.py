"""Database clients: what the two engines need beyond the library."""
