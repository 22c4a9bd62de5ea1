"""The form engine: XLSForm and XForm in, live interviews, instances out. Pure and headless.

It has no screen, no storage and no crypto: verifiers, sources, clock and randomness are handed in.
"""
