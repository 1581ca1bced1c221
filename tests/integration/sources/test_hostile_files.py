"""Files that mean harm are refused unread, in words that name the file; nothing of them gets through."""

from pathlib import Path

import pytest

from services.ingest.sources.files import read_files
from shared.errors import UserError
from shared.rules.load import default_rules
from tests.support.hostile import HOSTILE, make_hostile

RULES = default_rules()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_naming_itself_and_the_reason(tmp_path: Path, name: str) -> None:
    file_name, _, said = HOSTILE[name]
    path = make_hostile(name, tmp_path)
    with pytest.raises(UserError) as refused:
        read_files([path], RULES)
    assert refused.value.message.startswith(file_name)
    assert said in refused.value.message
    assert refused.value.hint
