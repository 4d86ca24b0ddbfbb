"""Premia: collects residents' social-insurance premiums through many banks and clears them through three."""
