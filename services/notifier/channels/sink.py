"""The settings that sinks of every channel have; each channel's own settings class extends this one.

They come from the notify file, or from the ONELEAD_ settings of one sink for each channel.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from services.notifier.domain.delivery import Purpose

WhenUnsure = Literal["leave", "repeat"]


_MAILBOX = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z\d-]+(\.[a-z\d-]+)*", re.A | re.I
)


def _mailbox(text: str) -> str:
    if not _MAILBOX.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address like name@example.com")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    return text.rstrip("/")


Mailbox = Annotated[str, AfterValidator(_mailbox)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


def _secret(given: Any) -> Any:
    """`{env: NAME}` and `{file: PATH}` read; a text in the clear is refused, a SecretStr passes."""
    match given:
        case SecretStr() | None:
            return given
        case {"env": str(name)} if len(given) == 1:
            if not (value := os.environ.get(name, "")):
                raise ValueError(f"the environment has no {name}")
            return SecretStr(value)
        case {"file": str(path)} if len(given) == 1:
            try:
                return SecretStr(Path(path).read_text().strip())
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"cannot read {path}: {type(error).__name__}") from None
    raise ValueError("a secret is given as {env: NAME} or {file: PATH}, never in the clear")


Secret = Annotated[SecretStr, BeforeValidator(_secret)]


class SinkSettings(BaseModel):
    """One sink of one channel. `sends` restricts what it is told; empty: all that its channel can tell."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    channel: str
    tenants: tuple[str, ...] = Field(("default",), description="whose leads; * for all")
    sends: tuple[Purpose, ...] = ()
    when_unsure: WhenUnsure = Field(
        "leave", description="blind channels, after a lost answer: leave it (never twice) or repeat"
    )
    concurrency: int | None = Field(
        None, ge=1, le=64, description="under way at a time, per tenant"
    )
