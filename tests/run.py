"""Run all tests: SQLite always, PostgreSQL where it answers; one process per engine, one closing line.

PREMIA_REQUIRE_POSTGRES=1 makes a PostgreSQL that does not answer a failure.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.engines import postgres_answers

NO_TESTS = 5


def run_engine(engine: str, arguments: list[str], report: Path) -> tuple[int, int, int]:
    """Run pytest for one engine: passed, failed, skipped.

    Raises:
        SystemExit: pytest could not run.
    """
    environment = os.environ | {"PREMIA_TEST_ENGINE": engine}
    only = ["-m", "each_engine"] if engine == "postgres" else []
    print(f"── {engine} ──", flush=True)
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *only, *arguments]
    status = subprocess.run(command, env=environment, check=False).returncode
    if status not in (0, 1, NO_TESTS) or not report.exists():
        sys.exit(f"pytest ended with status {status}")
    suite = ElementTree.parse(report).getroot()[0]  # noqa: S314 - our own file
    total, failed, skipped = (
        sum(int(suite.get(name, "0")) for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return total - failed - skipped, failed + (status == 1 and failed == 0), skipped


def main(arguments: list[str]) -> int:
    """Run each engine; the exit status."""
    required = os.environ.get("PREMIA_REQUIRE_POSTGRES") == "1"
    silent = asyncio.run(postgres_answers())
    with tempfile.TemporaryDirectory() as folder:
        results = [run_engine("sqlite", arguments, Path(folder) / "sqlite.xml")]
        if silent is None:
            results.append(run_engine("postgres", arguments, Path(folder) / "postgres.xml"))
    passed, failed, skipped = (sum(column) for column in zip(*results, strict=True))
    if silent is not None:
        print(f"PostgreSQL was {'required but did not answer' if required else 'skipped'}: {silent}")
        failed += required
    if required and skipped:
        print(f"{skipped} tests were skipped where none may be")
        failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
