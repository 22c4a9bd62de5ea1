"""Passphrases: the list's rules, even draws, what two typings have in common."""

from __future__ import annotations

import itertools
import math

import pytest

from fieldsurvey.records.words import (
    WORDS,
    WeakPassphraseError,
    check_strength,
    generate_passphrase,
    normalise_passphrase,
    passphrase_bits,
)


def _faults(words: tuple[str, ...]) -> list[str]:
    """What breaks the list's rules, a line each."""
    found = [word for word in words if not (word.isascii() and word.isalpha() and word.islower())]
    found += [word for word in words if not 4 <= len(word) <= 8]
    found += [b for a, b in itertools.pairwise(words) if a >= b]
    prefixes = [word[:4] for word in words]
    found += [prefix for prefix in set(prefixes) if prefixes.count(prefix) > 1]
    return found


def test_the_list_keeps_its_rules() -> None:
    """At least 2,048 sorted words of 4 to 8 plain letters, no two alike in their first four."""
    assert len(WORDS) >= 2048
    assert _faults(WORDS) == []


@pytest.mark.parametrize("planted", ["añil", "sol", "desayunos", "Zumo", "zumbar"])
def test_the_check_of_the_list_finds_what_is_planted(planted: str) -> None:
    """Control: a word with ñ, too short, too long, with a capital, or with a prefix already taken is found."""
    assert _faults((*WORDS, planted))


def test_six_words_by_default_worth_66_bits() -> None:
    """A generated passphrase has six words of the list and is strong enough for itself."""
    made = generate_passphrase()
    assert len(made.split()) == 6
    assert set(made.split()) <= set(WORDS)
    check_strength("enero mapa nube cobre lila pauta")
    assert passphrase_bits("enero mapa nube cobre lila pauta") >= 66


class Drawn:
    """Random bytes that are not: the given values first, then 0, 1, 2, …"""

    def __init__(self, *first: int) -> None:
        self.values = itertools.chain(first, itertools.count())
        self.asked: list[int] = []

    def __call__(self, length: int) -> bytes:
        """The next value."""
        self.asked.append(length)
        return next(self.values).to_bytes(length, "big")


def test_draws_are_even() -> None:
    """Every 16-bit value is used for exactly as many words as any other; the rest is drawn again, not folded."""
    counts = dict.fromkeys(WORDS, 0)
    usable = 65536 - 65536 % len(WORDS)
    for value in range(usable):
        counts[generate_passphrase(rng_bytes=Drawn(value)).split()[0]] += 1
    assert len(set(counts.values())) == 1
    for refused in (usable, 65535):
        drawn = Drawn(refused, 1000)
        assert generate_passphrase(rng_bytes=drawn).split()[0] == WORDS[1000]
        assert drawn.asked == [2] * 7


def test_a_word_that_came_already_is_drawn_again() -> None:
    """A repeated word counts once, so a passphrase with one would be refused by the check it is made for.

    Control: the same six words as they were drawn, the repeated one among them, are too weak.
    """
    made = generate_passphrase(rng_bytes=Drawn(7, 9, 7, 7, 11))
    assert made.split() == [WORDS[n] for n in (7, 9, 11, 0, 1, 2)]
    check_strength(made)
    with pytest.raises(WeakPassphraseError):
        check_strength(" ".join(WORDS[n] for n in (7, 9, 7, 11, 0, 1)))


@pytest.mark.parametrize(("floor", "words"), [(40, 6), (60, 6), (67, 6), (68, 7), (80, 8), (256, 23)])
def test_what_is_made_is_as_strong_as_the_policy_asks(floor: int, words: int) -> None:
    """Eleven bits a word and a little, six words at least, at every floor that a policy may set."""
    for _ in range(200):
        made = generate_passphrase(floor)
        assert len(made.split()) == words
        check_strength(made, floor)


@pytest.mark.parametrize(
    ("typed", "different", "kinds"),
    [
        ("abcdefgh", 8, 26),
        ("aaaabbbb", 2, 26),
        ("12345678", 8, 10),
        ("abcd1234", 8, 36),
        ("ab12!?", 6, 56),
        ("abñá", 4, 46),
        ("!?", 2, 20),
        ("ñ", 1, 20),
        ("casa lozb", 7, 26),
        ("casa mapa casa", 2, len(WORDS)),
        ("casa mapa", 2, len(WORDS)),
    ],
)
def test_what_a_passphrase_is_worth(typed: str, different: int, kinds: int) -> None:
    """Different characters times the kinds there are, or different words of the list: written out by hand."""
    assert passphrase_bits(typed) == pytest.approx(different * math.log2(kinds))


def test_nothing_is_worth_nothing_and_the_floor_is_enough() -> None:
    """An empty passphrase has no bits; one exactly at the floor is taken, a shade under it refused."""
    assert passphrase_bits(" - ") == 0.0
    worth = passphrase_bits("abcd1234")
    check_strength("abcd1234", worth)
    with pytest.raises(WeakPassphraseError):
        check_strength("abcd1234", worth + 0.001)


@pytest.mark.parametrize(
    "typed",
    ["casa  mapa", " Casa-MAPA ", "casa\u2013mapa", "casa\tmapa\n", "ｃａｓａ mapa", "casa_mapa", "casa\u00a0mapa"],
)
def test_typings_of_one_passphrase_are_one(typed: str) -> None:
    """Case, width, spaces and hyphens do not matter; control: the words and their order do."""
    assert normalise_passphrase(typed) == "casa mapa"
    assert normalise_passphrase("mapa casa") != "casa mapa"


@pytest.mark.parametrize("weak", ["", "casa", "casa casa casa casa casa casa", "12345678901234567890", "contraseña"])
def test_weak_passphrases_are_refused(weak: str) -> None:
    """Short, repeated or single-kind passphrases are under the floor; control: a mixed one passes."""
    with pytest.raises(WeakPassphraseError):
        check_strength(weak)
    check_strength("Kq7#mZ2!vR9&tX4")
