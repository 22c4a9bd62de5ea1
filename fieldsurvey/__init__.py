"""fieldsurvey: offline-first surveys in host communities, answers sealed on the laptop, needs published safely."""

__version__ = "0.1.0"
