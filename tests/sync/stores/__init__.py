"""One contract for both kinds of central store."""
