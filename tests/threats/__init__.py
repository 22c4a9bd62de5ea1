"""A test for each row of the threat table in docs/security.md, named after it; the campaigns lie in their rooms."""
