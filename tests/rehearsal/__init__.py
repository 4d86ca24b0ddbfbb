"""Rehearsals of whole seasons, and of the rehearsal's own judgement."""
