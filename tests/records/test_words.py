"""Passphrases: the list's rules, even draws, what two typings have in common."""

from __future__ import annotations

import itertools

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


def test_draws_are_even() -> None:
    """Every 16-bit value is used for exactly as many words as any other; the rest is drawn again, not folded."""
    counts = dict.fromkeys(WORDS, 0)
    usable = 65536 - 65536 % len(WORDS)
    for value in range(usable):
        counts[generate_passphrase(lambda _, v=value: v.to_bytes(2, "big"), words=1)] += 1  # type: ignore[misc]
    assert len(set(counts.values())) == 1
    pieces = iter([usable.to_bytes(2, "big"), b"\x00\x00"])
    assert generate_passphrase(lambda _: next(pieces), words=1) == WORDS[0]


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
