"""A whole collection season played against a real server by simulated partners."""

from app.rehearsal.options import RehearsalOptions
from app.rehearsal.report import RehearsalReport
from app.rehearsal.stage import rehearse, run

__all__ = ["RehearsalOptions", "RehearsalReport", "rehearse", "run"]
