"""Everything that is checked without running the code: format, lint, types, import directions, printed schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULE_LINES = 400
ROOMS = ("app", "schema", "models", "tests", "benchmarks")
COMMANDS = (
    ("format", ["ruff", "format", "--check", "--quiet", "."]),
    ("lint", ["ruff", "check", "--quiet", "."]),
    ("types", ["mypy"]),
    ("imports", ["lint-imports", "--no-cache"]),
)


def long_modules() -> list[str]:
    """Modules that are more than one room."""
    counted = (
        (path, len(path.read_text(encoding="utf-8").splitlines()))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts
    )
    return [f"{path.relative_to(ROOT)}: {lines} lines" for path, lines in counted if lines > MODULE_LINES]


def stale_schema() -> bool:
    """Whether schema/schema.graphql is not what the code prints."""
    binary = Path(sys.executable).parent / "premia"
    printed = subprocess.run([binary, "schema"], capture_output=True, text=True, check=True).stdout
    return printed != (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")


def main() -> int:
    """Run all checks; the exit status."""
    failed = []
    for name, command in COMMANDS:
        binary = Path(sys.executable).parent / command[0]
        result = subprocess.run([binary, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        print(f"{name}: {'ok' if result.returncode == 0 else 'FAILED'}")
        if result.returncode:
            print(result.stdout + result.stderr)
            failed.append(name)
    for fault in long_modules():
        print(f"too long: {fault}")
        failed.append("length")
    if stale_schema():
        print("schema: FAILED: run `premia schema > schema/schema.graphql`")
        failed.append("schema")
    else:
        print("schema: ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
