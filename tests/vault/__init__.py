"""The laptop's encrypted SQLite."""
