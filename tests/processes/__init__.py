"""Attacks on running server processes: killed, cut off from the database, several at once, stopped under load."""
