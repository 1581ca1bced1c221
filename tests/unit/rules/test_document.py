"""What is not a plain YAML mapping is refused at its place, before anything is built from it."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UserError
from shared.rules.document import Document, read_document
from shared.rules.load import load_rules

NOT_RULES = {
    "empty": (b"", "my.yaml: the file is empty"),
    "comments only": (b"# nothing\n\n", "my.yaml: the file is empty"),
    "a list": (b"- a\n", "my.yaml:1:1: a rules file consists of `key: value` lines"),
    "a word": (b"rules", "my.yaml:1:1: a rules file consists of `key: value` lines"),
    "broken": (b"a: [1\nb: 2\n", "my.yaml:2:2: this is not YAML: while parsing a flow sequence"),
    "unclosed quote": (b"a: 1\nb: 'x\n", "my.yaml:3:1: this is not YAML: while scanning a quoted"),
    "a tab": (b"a:\n\t- b\n", "my.yaml:2:1: this is not YAML"),
    "a control character": (b"a: 1\nb: \x00\n", "my.yaml:2: this is not YAML: a control character"),
    "another encoding": (b"a: 1\nb: Z\xfcrich\n", "my.yaml:2: not UTF-8 text; save the file as"),
    "a key twice": (b"a: {b: 1}\na: 2\n", "my.yaml:2:1: a: stands here twice; first in line 1"),
    "an inner key twice": (
        b"a:\n  b: 1\n  b: 2\n",
        "my.yaml:3:3: a.b: stands here twice; first in line 2",
    ),
    "one key as number and text": (
        b"a: {1: x, '1': y}\n",
        "my.yaml:1:11: a.1: stands here twice; first in line 1",
    ),
    "an anchor": (b"a: &x 1\n", "my.yaml:1:4: anchors and aliases (& and *) are not used"),
    "an alias": (b"a: *x\n", "my.yaml:1:4: anchors and aliases (& and *) are not used"),
    "a tag that runs code": (
        b"a: !!python/object/apply:os.system ['true']\n",
        "my.yaml:1:4: tags (tag:yaml.org,2002:python/object/apply:os.system) are not used",
    ),
    "a harmless tag": (b"a: !!str 1\n", "my.yaml:1:4: tags (tag:yaml.org,2002:str) are not used"),
    "a list as a key": (b"a:\n  ? [b]\n  : c\n", "my.yaml:2:5: a: a key must be a word"),
    "two documents": (b"a: 1\n---\nb: 2\n", "my.yaml:2:1: a second document (---)"),
    "nested without end": (b"[" * 100_000, "my.yaml:1:21: nested more than 20 deep"),
    "far too large": (b"a: 1\n" * 200_001, "my.yaml: larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("what", NOT_RULES)
def test_what_is_no_rules_file_is_refused(what: str) -> None:
    content, expected = NOT_RULES[what]
    with pytest.raises(UserError) as caught:
        read_document(content, "my.yaml")
    assert caught.value.message.startswith(expected)


def test_a_billion_laughs_are_refused_at_the_first_anchor() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(UserError, match=r"my\.yaml:1:5: anchors"):
        read_document("\n".join(lines).encode(), "my.yaml")


def test_tabs_are_met_with_advice() -> None:
    with pytest.raises(UserError) as caught:
        read_document(b"a:\n\tb: 1\n", "my.yaml")
    assert caught.value.hint == "indent with blanks, not with tabs"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nope\.yaml: cannot read the rules file: No such file"):
        load_rules(tmp_path / "nope.yaml")
    with pytest.raises(UserError, match="cannot read the rules file: Is a directory"):
        load_rules(tmp_path)


def read(text: str) -> Document:
    return read_document(text.encode(), "my.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-4", -4),
        ("200_000", 200_000),
        ("0.35", 0.35),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ("010", "010"),
        ("75,000", "75,000"),
        ("10:30", "10:30"),
        ("2025-10-09", "2025-10-09"),
        ("3PAR", "3PAR"),
        ("on", True),
        ("off", False),
        ("'off'", "off"),
        ("~", None),
        ("", None),
        ("9" * 5000, "9" * 5000),
        ("株式会社", "株式会社"),
    ],
)
def test_scalars_are_read_as_a_person_means_them(text: str, value: object) -> None:
    assert read(f"a: {text}").values == {"a": value}


def test_keys_are_always_text() -> None:
    assert read("{56088: Apple Inc, no: Norway}").values == {"56088": "Apple Inc", "no": "Norway"}


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1\n", "my.yaml").values == {"a": 1}


def test_places_are_counted_from_one_and_fall_back_to_what_surrounds_them() -> None:
    document = read("a:\n  b: 1\n  c: [x, y]\n")
    assert document.place(("a", "b")) == "my.yaml:2:6"
    assert document.place(("a", "b"), key=True) == "my.yaml:2:3"
    assert document.place(("a", "c", 1)) == "my.yaml:3:10"
    assert document.place(("a", "c", 1, "deeper")) == "my.yaml:3:10"
    assert document.place(("elsewhere",)) == "my.yaml"


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}#&*!|>'\"%@\n\t ,?0.", max_size=80))
def test_any_bytes_are_read_or_refused_but_never_break(content: bytes | str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    with contextlib.suppress(UserError):
        assert isinstance(read_document(raw, "my.yaml").values, dict)
