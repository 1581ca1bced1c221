"""Runs a service by its production entry point, with points at which it can be ended, a clock
that can be set, or a deliberate fault.

`python -m tests.faults.launcher services.scoring`; FAULTS_ARM_FILE, FAULTS_CLOCK_FILE and FAULTS_SABOTAGE
say what is changed.
"""

import os
import runpy
import sys
from pathlib import Path

from tests.faults import bad_deploy, points, wrong_clock
from tests.faults.sabotage import SABOTAGES


def main() -> None:
    """Changes what is to be changed, then runs the service until it ends."""
    module = sys.argv[1]
    service = module.rpartition(".")[2]
    points.install(service, Path(os.environ["FAULTS_ARM_FILE"]))
    wrong_clock.install(Path(os.environ["FAULTS_CLOCK_FILE"]))
    if os.environ.get(bad_deploy.SETTING):
        bad_deploy.install()
    if name := os.environ.get("FAULTS_SABOTAGE"):
        SABOTAGES[name].apply(service)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
