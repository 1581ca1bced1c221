"""The heaviest hostile files through the command: refused in words, within 512 MB of all its processes."""

from pathlib import Path

import pytest

from bench.hostile_files import refused
from tests.support.hostile import HOSTILE, make_hostile

_MOST_MB = 512


@pytest.mark.parametrize(
    "name", ["zip_bomb", "shared_string", "many_shared_strings", "huge_cell", "many_columns"]
)
def test_a_hostile_file_costs_little_and_is_refused_in_words(tmp_path: Path, name: str) -> None:
    path = make_hostile(name, tmp_path)
    found = refused(path, tmp_path / "home")
    assert found.exit_code == 2
    said = " ".join(found.said.split())
    assert f"Error: {path.name}" in said
    assert HOSTILE[name][2] in said
    assert "Traceback" not in said
    assert 0 < found.peak_mb < _MOST_MB
