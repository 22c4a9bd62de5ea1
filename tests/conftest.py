"""How Hypothesis draws its examples.

`make test` draws the same ones each time: what passed here passes elsewhere. Whoever runs pytest by hand, and
`make test-long`, draw them anew. No example is timed: none is wrong because the machine was busy.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

CHANCE = [HealthCheck.too_slow, HealthCheck.data_too_large]  # what they judge is the machine, or a streak of long draws
settings.register_profile("anew", deadline=None, derandomize=False, suppress_health_check=CHANCE)
settings.register_profile("same", settings.get_profile("anew"), derandomize=True, database=None)
settings.load_profile("anew")
