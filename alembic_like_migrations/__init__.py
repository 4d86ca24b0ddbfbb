"""How the tables came to be: Tortoise migration files, forward and back."""
