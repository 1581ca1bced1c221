"""Writes docs/events: `python -m shared.contracts`; with --release also what later changes must keep."""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import yaml

from shared.contracts.asyncapi import SCHEMA_FOLDER, asyncapi_document
from shared.contracts.schemas import event_schemas

ROOT = Path(__file__).resolve().parents[2]
EVENTS_FOLDER = ROOT / "docs" / "events"
RELEASED_FOLDER = "released"


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it reads."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        """A block for several lines, else what YAML would do."""
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def documents() -> dict[str, str]:
    """Path below docs/events → text, of every generated file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asyncapi = asyncapi_document(project["version"])
    text = yaml.dump(asyncapi, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return {
        **{f"{SCHEMA_FOLDER}/{kind}.json": schema for kind, schema in schema_texts().items()},
        "asyncapi.yaml": f"# Generated from shared/topics.py and shared/events: make schemas\n{text}",
    }


def schema_texts() -> dict[str, str]:
    """ce_type → its JSON Schema as text."""
    return {
        kind: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for kind, schema in event_schemas().items()
    }


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the files below a folder and removes JSON and YAML files that are not among them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for parent in {(folder / name).parent for name in files}:
        for path in (*parent.glob("*.json"), *parent.glob("*.yaml")):
            if str(path.relative_to(folder)) not in files:
                path.unlink()


def main(arguments: list[str]) -> None:
    """Writes the documents, and the released schemas when asked to."""
    write(EVENTS_FOLDER, documents())
    if "--release" in arguments:
        released = {f"{kind}.json": text for kind, text in schema_texts().items()}
        write(EVENTS_FOLDER / RELEASED_FOLDER, released)


if __name__ == "__main__":
    main(sys.argv[1:])
