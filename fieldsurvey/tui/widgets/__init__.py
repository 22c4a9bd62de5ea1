"""What screens are made of. Survey text is never markup: every widget takes it as `Content`."""
