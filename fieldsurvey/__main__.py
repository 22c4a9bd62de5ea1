"""`python -m fieldsurvey`."""

from fieldsurvey.cli import main

main()
