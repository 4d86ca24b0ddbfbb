"""How news travels: outbox, feed, fan-out."""
