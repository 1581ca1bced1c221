"""Makes company names as customers write them: shared words, many scripts, suffixes, misspellings.

Reads nothing but a seed; the same seed gives the same names.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


def _words(text: str) -> list[str]:
    return text.split()


def _parted(text: str) -> list[str]:
    return text.split("|")


_STEMS = _words(
    "kestrel orchard nord vega helvet lumi banco harbor granite summit cedar silver blue maple river "
    "stone bright clear north lake iron copper falcon atlas orion delta sigma omni inter trans uni "
    "pan euro ameri pacif atlant medi bio agri aqua solar terra aero astro cyber data info micro nano "
    "tele video quant logi proto syn mono poly hydro geo eco neo alpha beta gamma zen nova luna stella"
)
_ENDS = _words(
    "is a on ex ia um ics ent or ix al ine ora ano eon yst ify ware tek soft net link point bridge field "
    "wood ford ton ville burg stad heim dale worth gate port mark land side view crest well brook"
)
_SYLLABLES = _words(
    "ka ro lin den mar tek so pra vel nor dis tan glo bex ul qui zam fer wy cho ji ost"
)
_PLACES = _words(
    "Springfield Riverside Franklin Greenville Bristol Clinton Fairview Salem Madison Georgetown Luzern "
    "Zürich Genève München Köln Düsseldorf Malmö Århus Łódź Kraków Lyon Orléans Besançon Torino "
    "Córdoba Málaga São Paulo Iowa Ohio Texas Oregon Austria Bavaria Holm Kent Essex Dover"
)
_TRADES = _parted(
    "Group|School District|Unified School District|Logistics|Logistik|Energy|Bank|Insurance|Hospital|"
    "Medical Center|Regional Medical Center|University|Community College|Manufacturing|Foods|Pharma|"
    "Systems|Technologies|Software Solutions|Consulting|Holding|Industries|Aerospace|Motors|Capital|"
    "Partners|International|Services|County Sheriff|Department of Transportation|Public Library|"
    "Präzision|Maschinenbau|Versicherung|Bäckerei|Construções|Électronique|Énergie|Alimentación"
)
_SUFFIXES = _parted(
    "|||Inc|Inc.|, Inc.|LLC|Ltd|Ltd.|Limited|Corp.|Corporation|Co.|GmbH|GmbH & Co. KG|AG|S.A.|SAS|S.r.l.|Oy"
)
_KANJI = "日本東西南北中央電信話製作所工業商事銀行建設通運輸技研化学鉄鋼食品薬光山川田高松大小三井住友富士"
_KATAKANA = (
    "アイウエオカキクケコサシスセソタチツテトナニノハヒフヘホマミムメモヤユヨラリルレロワンパード"
)
_HANGUL = "삼성전자현대자동차한국은행서울건설산업통신기술금융화학중공엘지에스케이롯데"
_CYRILLIC = _words(
    "север юг завод банк строй торг транс газ нефть метал пром сервис восток урал волга"
)
_GREEK = _words("ελλάδα αθήνα τράπεζα ναυτιλία ενέργεια τεχνική θάλασσα ήλιος κρήτη μακεδονία")
_ARABIC = _words("شركة النور الخليج للتجارة بنك البناء الشرق الصناعات المتحدة الوطنية")


@dataclass(frozen=True)
class Spelling:
    """A name as somebody wrote it, and the company that is meant."""

    raw: str
    company: str


def companies(count: int, seed: int) -> list[str]:
    """So many different company names."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    found: dict[str, None] = {}
    while len(found) < count:
        make = draw.choices([kind for kind, _ in _KINDS], [weight for _, weight in _KINDS])[0]
        found[make(draw)] = None
    return list(found)


def spellings(of: list[str], count: int, new_share: float, seed: int) -> Iterator[Spelling]:
    """So many spellings: `new_share` of them of new companies, the others slips of known ones."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    fresh = companies(round(count * new_share), seed + 1)
    for number in range(count):
        if number < len(fresh):
            yield Spelling(fresh[number], fresh[number])
        else:
            company = draw.choice(of)
            yield Spelling(_misspelt(company, draw), company)


def _coined(draw: random.Random) -> str:
    if draw.random() < 0.5:
        return (draw.choice(_STEMS) + draw.choice(_ENDS)).title()
    return "".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))).title()


def _western(draw: random.Random) -> str:
    words = [_coined(draw) for _ in range(draw.choice((1, 1, 1, 2)))]
    if draw.random() < 0.25:
        words.append(draw.choice(_PLACES))
    words += draw.sample(_TRADES, draw.choice((0, 1, 1, 2)))
    if draw.random() < 0.05:
        words.append(str(draw.randint(1, 40)))
    return f"{' '.join(words)} {draw.choice(_SUFFIXES)}".strip().replace(" ,", ",")


def _public(draw: random.Random) -> str:
    kind = draw.choice(_TRADES[1:3] + _TRADES[7:11] + _TRADES[23:26])
    place = f"{_coined(draw)} {draw.choice(('Valley', 'County', 'City', 'Falls', 'Hills', 'Park'))}"
    if draw.random() < 0.3:
        return f"{kind} of {place}"
    return f"{place} {kind}"


def _japanese(draw: random.Random) -> str:
    letters = draw.choice((_KANJI, _KANJI, _KATAKANA))
    body = "".join(draw.choices(letters, k=draw.randint(3, 9)))
    return draw.choice(("株式会社{}", "{}株式会社", "㈱{}", "{}")).format(body)


def _korean(draw: random.Random) -> str:
    return "".join(draw.choices(_HANGUL, k=draw.randint(3, 8)))


def _of_words(words: list[str]) -> Callable[[random.Random], str]:
    def make(draw: random.Random) -> str:
        extra = "".join(draw.choices(words[0] + words[-1], k=draw.randint(3, 6)))
        return " ".join([extra, *draw.sample(words, draw.randint(1, 3))]).title()

    return make


_KINDS: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (_western, 66),
    (_public, 18),
    (_japanese, 6),
    (_korean, 3),
    (_of_words(_CYRILLIC), 4),
    (_of_words(_GREEK), 1),
    (_of_words(_ARABIC), 2),
)


def _misspelt(company: str, draw: random.Random) -> str:
    """One to three of: a slip of the finger, a word cut short, left out or added, another suffix."""
    name = company
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3))):
        name = draw.choice((_slip, _slip, _slip, _cut_short, _reworded, _other_suffix))(name, draw)
    return name


def _slip(name: str, draw: random.Random) -> str:
    at = draw.randrange(len(name))
    letter = draw.choice(name).lower()
    new = draw.choice((letter, "", name[at] * 2, name[at : at + 2][::-1], name[at] + letter))
    return (name[:at] + new + name[at + 1 :]).strip() or name


def _cut_short(name: str, draw: random.Random) -> str:
    words = name.split()
    at = draw.randrange(len(words))
    words[at] = words[at][: max(3, len(words[at]) // 2)] + "."
    return " ".join(words)


def _reworded(name: str, draw: random.Random) -> str:
    words = name.split()
    if len(words) > 1 and draw.random() < 0.5:
        del words[draw.randrange(len(words))]
    else:
        words.insert(draw.randint(1, len(words)), draw.choice(_TRADES))
    return " ".join(words)


def _other_suffix(name: str, draw: random.Random) -> str:
    return f"{name} {draw.choice(_SUFFIXES)}".strip()
