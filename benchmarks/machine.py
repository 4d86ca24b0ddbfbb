"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from typing import Any

import asyncpg
import psutil

SETTINGS = ("server_version", "shared_buffers", "synchronous_commit", "fsync", "max_wal_size", "autovacuum")


def machine_facts() -> dict[str, Any]:
    """Cores, memory, Python and the load that other programs make at this moment."""
    return {
        "cores": psutil.cpu_count(),
        "memory_megabytes": psutil.virtual_memory().total // 2**20,
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


async def postgres_facts(server: str) -> dict[str, str]:
    """The version of PostgreSQL and the settings that decide what a commit costs."""
    connection = await asyncpg.connect(f"{server}/postgres", timeout=5)
    try:
        return {name: await connection.fetchval("SELECT current_setting($1)", name) for name in SETTINGS}
    finally:
        await connection.close()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no file in the usual sense
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
