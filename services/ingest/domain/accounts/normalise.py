"""Normalises account names (rules.md §2): every script kept, Latin accents folded, suffixes stripped.

A name has one or two forms: with ä, ö, ü … as a, o, u, and, if it has such letters, as ae, oe, ue.
"""

import re
import unicodedata
from functools import lru_cache

from shared.events import Value
from shared.rules.model import Accounts

_AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_UNDECOMPOSED = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"}
_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_MAX_INITIALS = 5


class Naming(Value):
    """What a name may lose at its ends: legal suffixes, and forms of company in East Asian names."""

    legal_suffixes: tuple[str, ...] = ()
    cjk_affixes: tuple[str, ...] = ()


def naming_of(rules: Accounts) -> Naming:
    """The part of the rules that normalisation depends on."""
    return _naming(rules.legal_suffixes, rules.cjk_affixes)


@lru_cache(maxsize=16)
def _naming(legal_suffixes: tuple[str, ...], cjk_affixes: tuple[str, ...]) -> Naming:
    """One object for equal rules: whether two keys of a cache are equal is then quickly told."""
    return Naming(legal_suffixes=legal_suffixes, cjk_affixes=cjk_affixes)


def is_east_asian(normalised: str) -> bool:
    """Whether the name contains Han, kana or Hangul."""
    return bool(_EAST_ASIAN.search(normalised))


@lru_cache(maxsize=100_000)
def name_forms(raw: str, naming: Naming) -> tuple[str, ...]:
    """The forms of a name, the first of which is its key; empty when nothing of it is left."""
    suffixes, affixes = _endings(naming)
    text = _compatible(raw)
    spellings = (text,) if text.isascii() else (text, text.translate(_AS_TWO))
    forms = (_strip_suffixes(_words(_strip_affixes(each, affixes)), suffixes) for each in spellings)
    return tuple(dict.fromkeys(form for form in forms if form))


def name_key(raw: str | None, naming: Naming) -> str:
    """The form under which a name is known; empty for one that matches nothing."""
    return next(iter(name_forms(raw or "", naming)), "")


def folded_words(text: str) -> list[str]:
    """The words of a text, normalised like a name but with every ending kept."""
    return _words(_compatible(text))


def _compatible(text: str) -> str:
    """One way of writing for what looks alike: full and half width, capitals, composed letters."""
    if text.isascii():
        return text.casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if unicodedata.category(char) != "Cf")


@lru_cache(maxsize=16)
def _endings(naming: Naming) -> tuple[frozenset[str], tuple[str, ...]]:
    suffixes = frozenset("".join(folded_words(suffix)) for suffix in naming.legal_suffixes)
    affixes = sorted({_compatible(affix) for affix in naming.cjk_affixes}, key=len, reverse=True)
    return suffixes, tuple(affixes)


def _strip_affixes(text: str, affixes: tuple[str, ...]) -> str:
    """Takes 株式会社 and the like from either end, as long as something is left."""
    before, text = None, text.strip()
    while before != text:
        before = text
        for affix in affixes:
            text = text.removeprefix(affix).strip() or text
            text = text.removesuffix(affix).strip() or text
    return text


def _words(text: str) -> list[str]:
    """Letters, digits and their marks stay; everything else is a blank."""
    kept = (
        char if char.isalnum() or unicodedata.category(char).startswith("M") else " "
        for char in _fold_latin(text)
    )
    return "".join(kept).split()


def _fold_latin(text: str) -> str:
    """Takes the accents from Latin letters only: é becomes e, パ stays パ."""
    if text.isascii():
        return text
    folded, after_latin = [], False
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.combining(char):
            if not after_latin:
                folded.append(char)
        else:
            after_latin = "a" <= char <= "z" or unicodedata.name(char, "").startswith("LATIN")
            folded.append(_UNDECOMPOSED.get(char, char))
    return unicodedata.normalize("NFC", "".join(folded))


def _strip_suffixes(words: list[str], suffixes: frozenset[str]) -> str:
    """Takes legal suffixes from the end, also dotted ones (S.A.), but never the first word."""
    while (length := _suffix_length(words, suffixes)) > 0:
        words = words[:-length]
    return " ".join(words)


def _suffix_length(words: list[str], suffixes: frozenset[str]) -> int:
    """How many words at the end make a suffix: one, or the single letters of a dotted one."""
    for length in range(min(_MAX_INITIALS, len(words) - 1), 0, -1):
        ending = words[-length:]
        if length > 1 and any(len(word) > 1 for word in ending):
            continue
        if "".join(ending) in suffixes:
            return length
    return 0
