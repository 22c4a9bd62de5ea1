"""Tests of the checks of a form."""
