"""How account names are compared: every script kept, what says nothing taken away (rules.md §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.accounts.normalise import is_east_asian, name_forms, name_key, naming_of
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
