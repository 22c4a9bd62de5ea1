"""The app on the screen: unlock, interview, review, sync. It drives `fieldwork`; it holds no rule of its own.

Nothing is imported here: `fieldsurvey.tui.__main__` must first scrub the environment and then load Textual.
"""
