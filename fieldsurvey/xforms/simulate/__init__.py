"""Plausible interviews from a form's own constraints and choices; they describe nobody."""

from __future__ import annotations

from fieldsurvey.xforms.simulate.interviews import Prefer, Simulated, simulate_interview
from fieldsurvey.xforms.simulate.preferences import preferences

__all__ = ["Prefer", "Simulated", "preferences", "simulate_interview"]
