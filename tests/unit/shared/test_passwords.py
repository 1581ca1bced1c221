"""What PostgreSQL keeps of a password proves that one knows it, and does not hold it."""

import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from shared.db.passwords import kept_of

# The exchange of RFC 7677, section 3: user "user", password "pencil".
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SIGNED = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s={SALT},i=4096,c=biws,r={NONCE}".encode()
CLIENT_PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_it_lets_in_whom_the_standards_example_lets_in() -> None:
    method, salted, keys = kept_of("pencil", salt=base64.b64decode(SALT)).split("$")
    assert (method, salted) == ("SCRAM-SHA-256", f"4096:{SALT}")
    stored, server = (base64.b64decode(key) for key in keys.split(":"))
    signature = hmac.digest(server, SIGNED, "sha256")
    assert base64.b64encode(signature).decode() == SERVER_SIGNATURE
    proof = base64.b64decode(CLIENT_PROOF)
    mask = hmac.digest(stored, SIGNED, "sha256")
    client = bytes(one ^ other for one, other in zip(proof, mask, strict=True))
    assert hashlib.sha256(client).digest() == stored


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=12))
def test_it_holds_no_password_and_is_another_each_time(password: str) -> None:
    one, other = kept_of(password), kept_of(password)
    assert one != other
    assert password not in one


def test_what_looks_like_a_kept_one_is_a_password_like_any_other() -> None:
    assert kept_of(kept_of("pencil")).count("$") == 2
    assert kept_of("md5" + "0" * 32).startswith("SCRAM-SHA-256$")


def test_a_password_beyond_ascii_is_left_to_the_server() -> None:
    assert kept_of("pässword") == "pässword"
