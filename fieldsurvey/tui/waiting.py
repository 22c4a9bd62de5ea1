"""Keys typed after Enter wait until the cursor is where they are meant to go.

Enter reaches the interview by way of several messages. Somebody who types "3 Enter 1 Enter" faster than these travel
means 3 for this field and 1 for the next; without the wait the first field would read 31. If Enter leads to another
page instead, they are dropped like every key pressed before that page was painted.
"""

from __future__ import annotations

from textual import events

PATIENCE = 0.3  # seconds; an Enter that leads nowhere (it marked a row of a list) must not keep keys for longer


class Waiting:
    """The keys that wait, while there is something to wait for."""

    def __init__(self) -> None:
        self._keys: list[events.Key] | None = None
        self.number = 0
        """Which wait it is, or was: one Enter's patience must not end the wait of the next."""

    @property
    def busy(self) -> bool:
        """Whether keys wait now, or would."""
        return self._keys is not None

    def begin(self) -> int:
        """Enter was pressed; the wait's number."""
        if self._keys is None:
            self._keys = []
            self.number += 1
        return self.number

    def take(self, key: events.Key) -> bool:
        """Whether `key` waits."""
        if self._keys is None:
            return False
        self._keys.append(key)
        return True

    def end(self) -> list[events.Key]:
        """Nothing waits any more; gives the keys in the order typed, as new events."""
        keys, self._keys = self._keys or [], None
        return [events.Key(key.key, key.character) for key in keys]
