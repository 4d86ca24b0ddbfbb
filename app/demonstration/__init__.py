"""The demonstration city: synthetic people, real districts and banks, the season of 2019."""
