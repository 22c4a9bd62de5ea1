"""The app of whoever sits at central, or carries for it: laptops, conflicts, returned work, sticks, the sync log.

It shows what clear headers and signatures say, and counts; there are no answers here, and no key that could open one.
Nothing is imported here: `fieldsurvey.tui.central.__main__` must first scrub the environment and then load Textual.
"""
