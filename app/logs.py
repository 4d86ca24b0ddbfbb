"""Logs: one JSON object a line, on standard error, without personal data."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog


def configure(level: str) -> None:
    """Send structlog and the libraries' warnings to standard error as JSON lines."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer()))
    handler.addFilter(without_values)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    # The database clients print values at debug level.
    for name in ("tortoise", "tortoise.db_client", "asyncio", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.WARNING)


def without_values(record: logging.LogRecord) -> bool:
    """Keep type and frames of a logged exception, drop its message: it may hold personal data."""
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        error = record.exc_info[1]
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        record.msg = f"{record.getMessage().strip()}: {type(error).__name__} at {places}"
        record.args = ()
        record.exc_info = None
        record.exc_text = None
    return True
