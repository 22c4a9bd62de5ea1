"""An enumerator's work on a laptop."""
