"""The audits of the npm package `graphql-http`, run against a live server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
AUDITS = 61


def missing_tools() -> str | None:
    """Why the audits cannot run here; None where they can."""
    absent = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


def run_audits(url: str) -> list[str]:
    """Run all audits against `url`: the failing ones, each as one line."""
    if not (HERE / "node_modules" / "graphql-http").is_dir():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True, timeout=120
        )
    done = subprocess.run(
        ["node", "audit.mjs", url], cwd=HERE, check=True, capture_output=True, text=True, timeout=120
    )
    *failing, closing = done.stdout.strip().splitlines()
    if not closing.startswith(f"{AUDITS} audits, {len(failing)} failed"):
        raise RuntimeError(f"the audits did not end as expected: {closing}")
    return failing
