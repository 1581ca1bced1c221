from pathlib import Path

import pytest

from onelead.campaigns.contacts import Contact, contact_of, contacts_in
from shared.errors import UserError


def file_of(folder: Path, text: str) -> Path:
    path = folder / "contacts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_row_is_a_contact_with_its_address_in_lower_case(tmp_path: Path) -> None:
    path = file_of(tmp_path, "lead,contact\nUSE3256NX0,CIO@Customer.example\nabc1,b@x.example\n")
    assert contacts_in(path) == [
        Contact("USE3256NX0", "cio@customer.example", f"{path}, row 2"),
        Contact("abc1", "b@x.example", f"{path}, row 3"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a header `lead,contact`"),
        ("lead,mail\na,b@x.example\n", "a header `lead,contact`"),
        ("lead,contact\na,b@x.example\n,b@x.example\n", "row 3: no lead is named"),
        ("lead,contact\na,not an address\n", "row 2: 'not an address' is not a mail address"),
        ("lead,contact\na\n", "row 2: '' is not a mail address"),
        ("lead,contact\na,b@x.example\na,B@x.example\n", "row 3: stands in"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=r"contacts\.csv") as refused:
        contacts_in(file_of(tmp_path, text))
    assert said in refused.value.message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"lead,contact\n\x00,x"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"contacts\.csv"):
        contacts_in(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match="cannot read"):
            contacts_in(path)


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "a b@x.example",
        "a@x.example,b@x.example",
        "<a@x.example>",
        "a@x.example\r\nBcc: y@z.io",
    ],
)
def test_an_address_is_one_plain_mailbox(address: str) -> None:
    with pytest.raises(UserError, match="is not a mail address"):
        contact_of("lead", address, "--to")
