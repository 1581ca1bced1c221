"""What the documents say is so: links, settings with their defaults, commands, examples."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from onelead.command_list import COMMANDS
from onelead.settings import EditionSettings
from onelead.standins.settings import StandinSettings
from services.ingest.sources.judge import judge_record
from shared.access import AccessSettings
from shared.events import RecordObserved
from shared.rules.load import default_rules
from shared.settings import ServiceSettings
from tests.support.compose import ROOT, SERVICE_SETTINGS

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXAMPLES = sorted(ROOT.glob("docs/events/examples/*.py"))
KINDS: tuple[type[BaseSettings], ...] = (
    EditionSettings,
    ServiceSettings,
    *SERVICE_SETTINGS.values(),
)
STANDINS = {f"ONELEAD_STANDINS_{n.upper()}": f for n, f in StandinSettings.model_fields.items()}
SETTINGS = {f"ONELEAD_{field.upper()}" for kind in KINDS for field in kind.model_fields} | set(
    STANDINS
)
IN_WORDS = {
    "ONELEAD_CACHE_DIR": "~/.cache/onelead",
    "ONELEAD_MAIL_PORT": "by security",
    "ONELEAD_STANDINS_WEBHOOK_SECRET": "whsec_…",
}
every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


@every_document
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


@every_document
def test_every_setting_a_document_names_exists(path: Path) -> None:
    named = re.findall(r"\bONELEAD_[A-Z_]+[A-Z]\b", path.read_text())
    assert set(named) <= SETTINGS


@every_document
def test_every_command_a_document_shows_exists(path: Path) -> None:
    commands = {command.name for command in COMMANDS}
    text = path.read_text()
    shown = re.findall(r"(?:^|`|\bin/)\s*onelead ([a-z][a-z-]+)", text, re.MULTILINE)
    assert set(shown) <= commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def documented() -> list[dict[str, str]]:
    """The tables of docs/settings.md: setting → default as written, a table each."""
    tables = []
    for section in (ROOT / "docs/settings.md").read_text().split("\n## ")[1:]:
        rows = re.findall(r"^\| `(ONELEAD_\w+)` \| ([^|]*)\|", section, re.MULTILINE)
        tables.append({name: default.strip() for name, default in rows})
    return tables


def fields_of(kinds: tuple[type[BaseSettings], ...], without: type[BaseSettings]) -> dict[str, Any]:
    """Setting → field of these classes, without those that another class has as well."""
    inherited = without.model_fields
    return {
        f"ONELEAD_{name.upper()}": field
        for kind in kinds
        for name, field in kind.model_fields.items()
        if name not in inherited
    }


def in_words(field: Any) -> str:
    """A default as the documents write it."""
    if field.is_required():
        return "needed"
    value = field.default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value not in (None, "") else ""


def tables() -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Each table of the document with the fields it must hold."""
    command, every, access, one_each, notifier, standins = documented()
    small = tuple(k for name, k in SERVICE_SETTINGS.items() if name != "notifier")
    yield command, fields_of((EditionSettings,), AccessSettings)
    yield every, fields_of((ServiceSettings,), AccessSettings)
    yield access, fields_of((AccessSettings,), BaseSettings)
    yield one_each, fields_of(small, ServiceSettings)
    yield notifier, fields_of((SERVICE_SETTINGS["notifier"],), ServiceSettings)
    yield standins, STANDINS


@pytest.mark.parametrize(("written", "fields"), list(tables()))
def test_the_page_of_settings_lists_each_with_its_default(
    written: dict[str, str], fields: dict[str, Any]
) -> None:
    assert set(written) == set(fields)
    for name, field in fields.items():
        if name in IN_WORDS:
            assert IN_WORDS[name] in written[name]
        else:
            assert written[name].split(" (")[0] == in_words(field), name


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    pages = sorted(p.name for p in (ROOT / "docs/decisions").glob("0*.md"))
    assert pages
    for page in pages:
        assert f"({page})" in listed
        text = (ROOT / "docs/decisions" / page).read_text()
        for heading in ("Context", "Decision", "Consequences", "What enforces it"):
            assert f"**{heading}.**" in text, f"{page}: {heading}"


def test_the_image_and_the_changelog_know_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"[{version.group(1)}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_can_be_loaded(path: Path) -> None:
    assert callable(runpy.run_path(str(path))["main"])


def test_the_example_of_a_change_is_a_row_without_a_fault() -> None:
    body = runpy.run_path(str(ROOT / "docs/events/examples/change.py"))["changed_box"]()
    event = RecordObserved.model_validate(body)
    judged = judge_record(event, None, default_rules())
    assert judged.findings == ()
    assert set(event.values) <= set(default_rules().reading.columns[event.kind])
