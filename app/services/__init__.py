"""What happens: one module per aggregate, one coroutine per use case."""
