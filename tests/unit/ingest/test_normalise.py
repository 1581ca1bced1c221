"""How account names are compared: every script kept, what says nothing taken away (rules.md §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.accounts.normalise import (
    folded_words,
    is_east_asian,
    name_forms,
    name_key,
    naming_of,
)
from shared.rules.load import default_rules

NAMING = naming_of(default_rules().accounts)


def key(raw: str) -> str:
    return name_key(raw, NAMING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Apple Inc", "APPLE INC."),
        ("Apple, Inc", "apple"),
        ("Banco Meridional S.A.", "Banco Meridional SA"),
        ("Foo G.m.b.H. & Co. KG", "FOO"),
        ("Foo S.à r.l.", "Foo Sarl"),
        ("Nordwind-Logistik GmbH", "nordwind   logistik"),
        ("Lumière & Fils SAS", "LUMIERE & FILS SAS"),
        ("日本ヒューレット･パッカード合同会社", "日本ヒューレット・パッカード合同会社"),
        ("㈱日立", "日立株式会社"),
        ("（同）テスト", "テスト(同)"),
        ("ｆｕｌｌ　ｗｉｄｔｈ Ltd", "Full Width"),
        ("Straße 3", "STRASSE 3"),
        ("Łódź", "Lodz"),
        ("İstanbul", "istanbul"),
        ("Acme\u200b", "Acme"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert key(one) == key(other) != ""


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("SAS AG", "sas"),
        ("AG", "ag"),
        ("Co", "co"),
        ("S.A.", "s a"),
        ("株式会社", "株式会社"),
        ("Inc Inc Inc", "inc"),
        ("AT&T", "at t"),
        ("Unlimited Ltd Limited", "unlimited"),
        ("Limited Brands", "limited brands"),
    ],
)
def test_a_suffix_goes_from_the_end_only_and_never_a_names_first_word(
    raw: str, normalised: str
) -> None:
    assert key(raw) == normalised


@pytest.mark.parametrize("raw", ["", " ", "#", "###", "-", "•", "\u200b"])
def test_a_name_without_letters_and_digits_matches_nothing(raw: str) -> None:
    assert key(raw) == ""
    assert name_forms(raw, NAMING) == ()


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("パッカード", "パッカード"),
        ("ﾊﾟｯｶｰﾄﾞ", "パッカード"),
        ("हिन्दी कंपनी", "हिन्दी कंपनी"),
        ("삼성전자", "삼성전자"),
        ("Ελλάδα Α.Ε.", "ελλάδα α ε"),
        ("Йота", "йота"),
    ],
)
def test_other_scripts_keep_their_marks(raw: str, normalised: str) -> None:
    assert key(raw) == normalised


def test_an_umlaut_has_two_forms() -> None:
    assert name_forms("Präzision", NAMING) == ("prazision", "praezision")
    assert name_forms("Praezision", NAMING) == ("praezision",)
    assert name_forms("Ørsted Å", NAMING) == ("orsted a", "oersted aa")


def test_suffixes_come_from_the_rules() -> None:
    short = NAMING.model_copy(update={"legal_suffixes": ("Oy",)})
    assert (name_key("Nokia Oy", short), name_key("Apple Inc", short)) == ("nokia", "apple inc")


@pytest.mark.parametrize("raw", ["東日本電信電話", "パッカード", "삼성전자", "hp 日本"])
def test_han_kana_and_hangul_are_east_asian(raw: str) -> None:
    assert is_east_asian(key(raw))
    assert not is_east_asian(key("Präzision Йота"))


def test_a_name_of_nothing_but_affixes_does_not_exhaust_the_stack() -> None:
    assert key("株式会社" * 5_000) == "株式会社"


names = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


@given(names)
def test_every_form_is_words_with_single_blanks(raw: str) -> None:
    assert all(form and form == " ".join(form.split()) for form in name_forms(raw, NAMING))


@given(names)
def test_case_and_blanks_around_a_name_do_not_matter(raw: str) -> None:
    assert key(f"  {raw} ") == key(raw)


@given(names.filter(lambda raw: raw.isascii()))
def test_punctuation_at_the_end_does_not_matter(raw: str) -> None:
    assert key(f"{raw}!") == key(raw)


@pytest.mark.parametrize(
    ("raw", "forms"),
    [
        ("Bär", ("bar", "baer")),
        ("Köln", ("koln", "koeln")),
        ("Zürich", ("zurich", "zuerich")),
        ("Ørsted", ("orsted", "oersted")),
        ("Ångström", ("angstrom", "aangstroem")),
        ("BA\u0308R", ("bar", "baer")),
        ("Straße", ("strasse",)),
        ("Café", ("cafe",)),
        ("Ñandú", ("nandu",)),
        ("Æro Œuvre", ("aero oeuvre",)),
        ("Đuro Ħal Łódź", ("duro hal lodz",)),
        ("Guðrún Diyarbakır", ("gudrun diyarbakir",)),
        ("Şişecam Ąęść", ("sisecam aesc",)),
    ],
)
def test_accents_of_latin_letters_are_folded_and_umlauts_both_ways(
    raw: str, forms: tuple[str, ...]
) -> None:
    assert name_forms(raw, NAMING) == forms


def test_the_form_without_the_second_letter_is_the_key() -> None:
    assert key("Käserei Zürich AG") == "kaserei zurich"


@pytest.mark.parametrize("suffix", default_rules().accounts.legal_suffixes)
def test_every_legal_suffix_goes_dotted_too_and_repeatedly(suffix: str) -> None:
    assert key(f"Nordwind {suffix}") == "nordwind"
    assert key(f"Nordwind {suffix.upper()}, Inc.") == "nordwind"
    assert key(f"{suffix} Nordwind") != "nordwind"
    if len(suffix) <= 5:
        assert key(f"Nordwind {'.'.join(suffix)}.") == "nordwind"


def test_a_dotted_suffix_is_of_single_letters_and_at_most_five() -> None:
    five = NAMING.model_copy(update={"legal_suffixes": ("abcde", "abcdef", "xyz")})
    assert name_key("Vega A.B.C.D.E.", five) == "vega"
    assert name_key("Vega A.B.C.D.E.F.", five) == "vega a b c d e f"
    assert name_key("Vega XY Z", five) == "vega xy z"
    assert name_key("X Y Z", five) == "x y z"
    assert name_key("Vega X Y Z", five) == "vega"


def test_a_suffix_may_be_written_with_dots_or_accents_in_the_rules() -> None:
    dotted = NAMING.model_copy(update={"legal_suffixes": ("S.à r.l.",)})
    assert name_key("Vega Sarl", dotted) == "vega"
    assert name_key("Vega S.A.R.L.", dotted) == "vega"


@pytest.mark.parametrize("affix", default_rules().accounts.cjk_affixes)
def test_every_form_of_a_japanese_company_goes_at_either_end(affix: str) -> None:
    assert key(f"{affix}日立") == key(f"日立{affix}") == key(f"日立 {affix}") == "日立"
    assert key(f"{affix}日立{affix}") == "日立"
    assert key(f"日{affix}立") != "日立"


def test_the_longer_affix_goes_first_and_both_kinds_of_endings_go() -> None:
    nested = NAMING.model_copy(update={"cjk_affixes": ("会社", "株式会社")})
    assert name_key("日立株式会社", nested) == "日立"
    assert key("株式会社Nordwind Co., Ltd.") == "nordwind"


@pytest.mark.parametrize(
    "letter",
    "ᄀᇿ々〆〇ぁゟァヿㄱㆎㇰㇿ㐀䶿一鿿ꥠ가힣\ud7fb豈\ufaff\U00020000\U0003ffff",
)
def test_every_block_of_han_kana_and_hangul_is_east_asian(letter: str) -> None:
    assert is_east_asian(f"acme {letter}")


@pytest.mark.parametrize("letter", "az09éйωقहไ\u10ff\u1200\u3004\u3008\u303f\u3100\ua4d0\uf8ff")
def test_no_other_letter_is(letter: str) -> None:
    assert not is_east_asian(letter)


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("Hewlett-Packard", "hewlett packard"),
        ("O'Neill & Sons", "o neill sons"),
        ("7-Eleven #12", "7 eleven 12"),
        ("А.Б.В. Завод №5", "а б в завод no5"),
        ("شَرِكَة النور", "شَرِكَة النور"),
        ("บริษัท ไทย", "บริษัท ไทย"),
        ("Ёлка", "ёлка"),
        ("ＮＴＴ データ", "ntt データ"),
        ("ﬁrst № ½", "first no 1 2"),
    ],
)
def test_letters_digits_and_marks_of_every_script_stay(raw: str, normalised: str) -> None:
    assert key(raw) == normalised


def test_equal_rules_make_one_naming() -> None:
    rules = default_rules().accounts
    assert naming_of(rules) is naming_of(rules.model_copy())
    assert naming_of(rules).legal_suffixes == rules.legal_suffixes
    assert naming_of(rules).cjk_affixes == rules.cjk_affixes


def test_a_text_keeps_its_endings() -> None:
    assert folded_words("Käse AG, Zürich!") == ["kase", "ag", "zurich"]
    assert name_key(None, NAMING) == ""
