"""Every named point and every deliberate fault still finds its place in the product."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from onelead.edition.service import ROOT
from tests.faults.caught import TRIALS
from tests.faults.kinds import FAULTS
from tests.faults.points import POINTS, Trigger, arm
from tests.faults.sabotage import SABOTAGES

_SERVICES = ("ingest", "scoring", "recommender", "notifier", "lifecycle")


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process of its own: it changes the product."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_all_points_can_be_installed_in_each_service() -> None:
    install = "from pathlib import Path; from tests.faults.points import install; "
    install += f"[install(name, Path('none')) for name in {_SERVICES!r}]"
    found = python(install)
    assert found.returncode == 0, found.stderr


def test_all_deliberate_faults_can_be_put_into_the_product() -> None:
    code = "from tests.faults.sabotage import SABOTAGES; "
    code += f"[s.apply(n) for s in SABOTAGES.values() for n in {_SERVICES!r}]"
    found = python(code)
    assert found.returncode == 0, found.stderr


def test_each_deliberate_fault_is_tried_and_each_kind_has_tenants_of_its_own() -> None:
    assert {trial.sabotage for trial in TRIALS} == {"", *SABOTAGES}
    kinds = [*FAULTS, *(trial.kind for trial in TRIALS)]
    tenants = [tenant for kind in kinds for tenant in kind.tenants]
    assert len(tenants) == len(set(tenants))


def test_a_process_ends_at_the_armed_point_after_so_many_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    file = tmp_path / "scoring-0.die"
    trigger = Trigger(file)
    trigger.reached(POINTS[0].name)
    arm(file, POINTS[0], passes=1)
    trigger.reached(POINTS[1].name)
    trigger.reached(POINTS[0].name)
    assert killed == []
    trigger.reached(POINTS[0].name)
    assert killed == [(os.getpid(), signal.SIGKILL)]
    assert not file.exists()
