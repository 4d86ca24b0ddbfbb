"""The bell: wakes this process's feed when a local transaction with news has been committed."""

from __future__ import annotations

from collections.abc import Callable

_listeners: set[Callable[[], None]] = set()


def ring() -> None:
    """There is news."""
    for listener in tuple(_listeners):
        listener()


def listen(listener: Callable[[], None]) -> None:
    """Call `listener` at each ring."""
    _listeners.add(listener)


def stop_listening(listener: Callable[[], None]) -> None:
    """Forget `listener`."""
    _listeners.discard(listener)
