"""docs/events/asyncapi.yaml is accepted by AsyncAPI's own parser, from npm."""

import shutil
import subprocess
from pathlib import Path

import pytest

from shared.contracts.__main__ import EVENTS_FOLDER
from shared.events import EVENTS

pytestmark = pytest.mark.slow
PARSER = "@asyncapi/parser@3.6.0"
PROGRAM = """\
import { Parser, fromFile } from "@asyncapi/parser";
const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const errors = diagnostics.filter((d) => d.severity < 2);
for (const d of errors) console.error(d.path?.join("."), d.message);
if (errors.length || !document) process.exit(1);
console.log(document.messages().length, document.version());
"""


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that parses the document it is given."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("this test needs Node.js with npm: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("parser")
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", PARSER]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"npm could not install {PARSER}:\n{result.stderr}"
    (folder / "parse.mjs").write_text(PROGRAM)
    return folder / "parse.mjs"


def parse(parser: Path, document: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(parser), str(document)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_document_has_no_errors_and_no_warnings(parser: Path) -> None:
    result = parse(parser, EVENTS_FOLDER / "asyncapi.yaml")
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(len(EVENTS)), "3.0.0"]


def test_a_broken_document_is_refused(parser: Path, tmp_path: Path) -> None:
    text = (EVENTS_FOLDER / "asyncapi.yaml").read_text()
    (tmp_path / "asyncapi.yaml").write_text(text.replace("action: send", "action: shout"))
    assert parse(parser, tmp_path / "asyncapi.yaml").returncode != 0
