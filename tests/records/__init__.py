"""Records: what is sealed, signed and carried."""
