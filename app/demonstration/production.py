"""Where the people are made: beside the event loop, and a big city in a process of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from multiprocessing.connection import Connection

from app.ahead import one_ahead
from app.demonstration.population import Chunk, Plan, Population

OWN_PROCESS_FROM = 50_000
STOP_SECONDS = 5.0


class MakingFailed(Exception):
    """The process that makes people ended before it was done."""


def chunks(plan: Plan) -> AsyncGenerator[Chunk, None]:
    """The people of a plan, one chunk made ahead. Close it (`contextlib.aclosing`) to stop its process.

    Raises:
        MakingFailed: the process was ended from outside.
    """
    return one_ahead(_from_process(plan) if plan.payers >= OWN_PROCESS_FROM else _here(plan))


def _here(plan: Plan) -> Generator[Chunk, None, None]:
    yield from Population(plan).chunks()


def _from_process(plan: Plan) -> Generator[Chunk, None, None]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_make, args=(plan, sender), daemon=True)
    process.start()
    sender.close()
    try:
        while (chunk := receiver.recv()) is not None:
            yield chunk
    except EOFError:
        raise MakingFailed("the process that makes the people ended before it was done") from None
    finally:
        receiver.close()
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()


def _make(plan: Plan, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by who listens: the pipe breaks
    with suppress(BrokenPipeError):  # nobody listens any more
        for chunk in Population(plan).chunks():
            sender.send(chunk)
        sender.send(None)
