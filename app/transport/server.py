"""Runs the server: one process or several behind one socket, bounded, and stopped without loss."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import FrameType

import structlog
import uvicorn

from app.logs import without_values
from app.transport.limits import LIMITS
from app.transport.protocols import BoundedHTTPProtocol, BoundedWebSocketProtocol, Swept

_log = structlog.get_logger("premia.server")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SWEEP_TICKS = 5
_SHORT_LIFE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0
STARTUP_FAILURE = 3


def serve(application: str, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT; `application` names a factory: "app.asgi:create"."""
    with _listen(host, port) as listener:
        if workers <= 1:
            run_worker(application, listener)
        else:
            _Supervisor(application, listener, workers).run()


def run_worker(application: str, listener: socket.socket, ready: Event | None = None) -> None:
    """Serve the listening socket in this process; `ready` is set once it does."""
    server = BoundedServer(make_config(application), ready)
    try:
        server.run(sockets=[listener])
    except Exception:  # a start that fails, whatever by, ends with the status that its supervisor counts
        if server.started or ready is None:
            raise
        traceback.print_exc()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)


def make_config(application: str) -> uvicorn.Config:
    """uvicorn within the limits: it logs nothing of a request, and believes no header of a proxy."""
    return uvicorn.Config(
        application,
        factory=True,
        loop="uvloop",
        http=BoundedHTTPProtocol,
        ws=BoundedWebSocketProtocol,
        ws_max_size=LIMITS.message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=LIMITS.ping_seconds,
        ws_ping_timeout=LIMITS.ping_seconds,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(LIMITS.keep_alive_seconds),
        timeout_graceful_shutdown=LIMITS.shutdown_seconds,
    )


class BoundedServer(uvicorn.Server):
    """A server that sweeps out connections past their deadline, and ends with its supervisor."""

    def __init__(self, config: uvicorn.Config, ready: Event | None = None) -> None:
        super().__init__(config)
        self._ready = ready
        self._parent = os.getppid()
        logging.getLogger("uvicorn.error").addFilter(without_values)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and spare the garbage collector what will live as long as the process."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        if self._ready is not None:
            self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: no new connections, sockets closed, requests in flight ended, then the application."""
        sweeping = asyncio.create_task(self._keep_sweeping())
        try:
            await super().shutdown(sockets)
        finally:
            sweeping.cancel()

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(0.1 * _SWEEP_TICKS)
            self._sweep()

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, Swept):
                connection.sweep(now)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % _SWEEP_TICKS == 0:
            self._sweep()
            if multiprocessing.parent_process() is not None and os.getppid() != self._parent:
                self.should_exit = True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; unlike uvicorn, do not raise it again once everything has ended well."""
        original = {each: signal.signal(each, self.handle_exit) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in original.items():
                signal.signal(each, handler)


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
        yield listener


class _Supervisor:
    """Keeps a number of worker processes alive, and stops them all gracefully."""

    def __init__(self, application: str, listener: socket.socket, workers: int) -> None:
        self._application = application
        self._listener = listener
        self._context = multiprocessing.get_context("spawn")
        self._count = workers
        self._workers: dict[BaseProcess, float] = {}
        self._ready = self._context.Event()
        self._failures = 0
        self._not_before = 0.0
        self._stopping = False
        self._broken = False

    def run(self) -> None:
        """Supervise until a signal comes. Workers that never start end it; later failures are tried again."""
        original = {each: signal.signal(each, self._stop) for each in _SIGNALS}
        try:
            while not self._stopping:
                self._fill()
                wait([worker.sentinel for worker in self._workers], timeout=0.25)
                self._bury()
        finally:
            self._stop_all()
            for each, handler in original.items():
                signal.signal(each, handler)
        if self._broken:
            raise SystemExit(STARTUP_FAILURE)

    def _fill(self) -> None:
        """Start the workers that are missing, unless it is too early to try again."""
        if time.monotonic() >= self._not_before:
            for _ in range(self._count - len(self._workers)):
                self._start()

    def _start(self) -> None:
        worker = self._context.Process(
            target=run_worker, args=(self._application, self._listener, self._ready)
        )
        worker.start()
        self._workers[worker] = time.monotonic()

    def _bury(self) -> None:
        """Take note of ended workers: they are replaced at once, or after a pause where starting fails."""
        for worker in [each for each in self._workers if not each.is_alive()]:
            lived = time.monotonic() - self._workers.pop(worker)
            worker.join()
            _log.warning("a worker ended", process=worker.pid, status=worker.exitcode)
            if worker.exitcode == STARTUP_FAILURE and not self._ready.is_set():
                self._broken = self._stopping = True
            elif worker.exitcode == STARTUP_FAILURE or lived < _SHORT_LIFE_SECONDS:
                self._failures += 1
                self._not_before = time.monotonic() + min(_LONGEST_PAUSE_SECONDS, self._failures)
            else:
                self._failures = 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + LIMITS.shutdown_seconds + 10
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.is_alive():
                worker.kill()
                worker.join()
