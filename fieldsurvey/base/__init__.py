"""What every room may use: errors, languages, atomic files, paths, clock, SQLite. It knows nothing of surveys."""
