"""Tests of sending records back."""
