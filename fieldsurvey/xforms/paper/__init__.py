"""A form on paper: one HTML file to print and fill in by hand when the laptop fails. Skips are told in words."""

from __future__ import annotations

from fieldsurvey.xforms.paper.page import print_form

__all__ = ["print_form"]
