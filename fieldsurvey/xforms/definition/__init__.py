"""A form as written: parsed, bounded, with the origin of every part. Nothing here is evaluated."""
