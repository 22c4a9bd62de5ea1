"""`fieldsurvey project`: whom laptops trust, and every ceremony around it. Thin: the work is done in `project`."""

from fieldsurvey.cli.project import ceremonies, making, people, relaying, servers, showing
from fieldsurvey.cli.project.group import app

__all__ = ["app", "ceremonies", "making", "people", "relaying", "servers", "showing"]
