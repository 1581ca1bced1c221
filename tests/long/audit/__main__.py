"""`make audit`, its offline part: bills of materials and licences into build/; ends with 1 on a fault."""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.long.audit.licences import ACCEPTED, ACCEPTED_ON_ONE_MACHINE, faults
from tests.long.audit.packages import Package, packages_of
from tests.long.audit.sbom import bill_of_materials

ROOT = Path(__file__).resolve().parents[3]
SHIPPED: Mapping[str, Mapping[tuple[str, str], str]] = {
    "runtime": ACCEPTED,
    "one-machine": {**ACCEPTED, **ACCEPTED_ON_ONE_MACHINE},
}
"""What is shipped, by lock, with the licences that are accepted in it."""


def audit(into: Path) -> list[str]:
    """Writes the files and returns what may not be shipped."""
    into.mkdir(exist_ok=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    found = []
    for lock, accepted in SHIPPED.items():
        packages = packages_of(ROOT / "requirements" / f"{lock}.txt")
        bill = bill_of_materials(f"onelead-{lock}", version, packages)
        (into / f"sbom-{lock}.json").write_text(json.dumps(bill, indent=1) + "\n")
        (into / f"licences-{lock}.md").write_text(licence_table(packages, accepted))
        found += [f"{lock}: {fault}" for fault in faults(packages, accepted)]
    return found


def licence_table(packages: Sequence[Package], accepted: Mapping[tuple[str, str], str]) -> str:
    """The licences as a page, with what is accepted and why."""
    rows = [f"| {p.name} | {p.version} | {p.licence} |" for p in packages]
    reasons = [
        f"- {name}, {licence}: {reason}"
        for (name, licence), reason in accepted.items()
        if name in {p.name for p in packages}
    ]
    head = ["| package | version | licence |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", "Accepted by name:", "", *reasons]) + "\n"


def main() -> int:
    """Says what was found."""
    found = audit(ROOT / "build")
    for fault in found:
        sys.stderr.write(f"not to be shipped: {fault}\n")
    if not found:
        sys.stdout.write("licences: nothing of the GPL's family is shipped; see build/\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
