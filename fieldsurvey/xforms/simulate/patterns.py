"""Text that matches a simple regular expression: literals, classes, groups, alternatives, counted repetition.

Anchors are skipped. What it does not know (look-around, back-references) makes it give up; the engine checks the rest.
"""

from __future__ import annotations

import string
from random import Random

MOST = 6
_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_letters,
    "W": "-.,",
    "S": string.ascii_letters + string.digits,
}
_ANY = string.ascii_lowercase + string.digits


class _Unknown(Exception):  # noqa: N818  a signal inside this module, not an error
    """The pattern uses something that is not known here."""


def sample(pattern: str, rng: Random) -> str | None:
    """A text that should match, None when the pattern is beyond what is known here."""
    try:
        sampler = _Sampler(pattern, rng)
        text = sampler.alternatives()
    except (_Unknown, IndexError, ValueError, RecursionError):
        return None
    return text if sampler.at >= len(pattern) else None


class _Sampler:
    def __init__(self, pattern: str, rng: Random) -> None:
        self.pattern = pattern
        self.rng = rng
        self.at = 0

    def peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""

    def alternatives(self) -> str:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        return self.rng.choice(branches)

    def sequence(self) -> str:
        out: list[str] = []
        while self.peek() and self.peek() not in {"|", ")"}:
            start = self.at
            piece = self.atom()
            end = self.at
            least, most = self.count()
            after = self.at
            times = self.rng.randint(least, most)
            if times == 0:
                continue
            out.append(piece)
            for _again in range(times - 1):
                self.at = start
                out.append(self.atom())
            self.at = after if times > 1 else max(after, end)
        return "".join(out)

    def atom(self) -> str:
        char = self.peek()
        self.at += 1
        if char in {"^", "$"}:
            return ""
        if char == ".":
            return self.rng.choice(_ANY)
        if char == "[":
            return self.rng.choice(self.members())
        if char == "(":
            if self.peek() == "?":
                if self.pattern[self.at : self.at + 2] != "?:":
                    raise _Unknown
                self.at += 2
            inner = self.alternatives()
            if self.peek() != ")":
                raise _Unknown
            self.at += 1
            return inner
        if char == "\\":
            return self.rng.choice(self.escaped())
        return char

    def escaped(self) -> str:
        char = self.peek()
        self.at += 1
        if char.isdigit() or char == "b":
            raise _Unknown
        return _CLASSES.get(char, char)

    def members(self) -> str:
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        found = ""
        while self.peek() != "]" or not found:
            char = self.pattern[self.at]
            self.at += 1
            if char == "\\":
                found += self.escaped()
            elif self.peek() == "-" and self.pattern[self.at + 1] != "]":
                last = self.pattern[self.at + 1]
                self.at += 2
                found += "".join(chr(code) for code in range(ord(char), min(ord(last), ord(char) + 512) + 1))
            else:
                found += char
        self.at += 1
        if negated:
            found = "".join(c for c in _ANY if c not in found)
        if not found:
            raise _Unknown
        return found

    def count(self) -> tuple[int, int]:
        char = self.peek()
        if char == "?":
            bounds = (0, 1)
        elif char == "*":
            bounds = (0, MOST)
        elif char == "+":
            bounds = (1, MOST)
        elif char == "{":
            close = self.pattern.index("}", self.at)
            low, comma, high = self.pattern[self.at + 1 : close].partition(",")
            self.at = close
            least = int(low or 0)
            bounds = (least, max(least, int(high) if high else least + MOST if comma else least))
        else:
            return 1, 1
        self.at += 1
        if self.peek() == "?":
            self.at += 1
        return bounds[0], min(bounds[1], 1000)
