"""What is shipped is listed, and a licence of the GPL's family in it is found."""

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.long.audit.__main__ import ROOT, SHIPPED, audit, licence_table
from tests.long.audit.licences import ACCEPTED, ACCEPTED_ON_ONE_MACHINE, faults
from tests.long.audit.packages import (
    NotInstalledError,
    Package,
    bundled,
    declared,
    locked,
    packages_of,
)
from tests.long.audit.sbom import bill_of_materials


def package(licence: str, *, expression: bool = True, bundled: tuple[str, ...] = ()) -> Package:
    return Package("some", "1.0", licence, expression, bundled=bundled)


def test_nothing_that_is_shipped_stands_under_the_gpl_and_all_of_it_is_listed(
    tmp_path: Path,
) -> None:
    assert audit(tmp_path / "build") == []
    for lock in SHIPPED:
        names = set(locked(ROOT / "requirements" / f"{lock}.txt"))
        table = (tmp_path / "build" / f"licences-{lock}.md").read_text()
        assert len(names) > 20
        assert all(f"| {name} |" in table for name in names)
        assert all(
            f"pkg:pypi/{n}@" in (tmp_path / f"build/sbom-{lock}.json").read_text() for n in names
        )


def test_every_accepted_licence_is_really_there() -> None:
    services = packages_of(ROOT / "requirements/runtime.txt")
    assert len(faults(services, {})) == len(ACCEPTED)
    one_machine = packages_of(ROOT / "requirements/one-machine.txt")
    assert len(faults(one_machine, ACCEPTED)) == len(ACCEPTED_ON_ONE_MACHINE) == 1


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "AGPL-3.0-or-later",
        "LGPL-2.1-only",
        "MIT AND GPL-2.0-only",
        "MIT AND (GPL-2.0-only OR AGPL-3.0-only)",
        "SSPL-1.0",
    ],
)
def test_a_licence_of_the_gpls_family_is_found(licence: str) -> None:
    assert faults([package(licence)], {}) == [f"some 1.0: {licence}"]
    assert faults([package(licence)], {("some", licence): "why"}) == []
    assert faults([package("MIT", bundled=(licence,))], {}) == [f"some 1.0: {licence}"]


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "MIT OR GPL-2.0-only",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "(GPL-2.0-only OR MIT) AND ISC",
    ],
)
def test_a_licence_that_leaves_a_choice_without_the_gpl_is_fine(licence: str) -> None:
    assert faults([package(licence)], {}) == []


@pytest.mark.parametrize(
    "words",
    ["GNU General Public License v2 (GPLv2)", "GNU Affero General Public License v3", "GPLv3+"],
)
def test_older_words_for_it_are_understood(words: str) -> None:
    assert len(faults([package(words, expression=False)], {})) == 1


def test_a_package_that_declares_nothing_is_a_fault() -> None:
    assert faults([package("", expression=False)], {}) == ["some 1.0: declares no licence"]


@pytest.mark.parametrize("broken", ["MIT AND", "(MIT", "MIT)"])
def test_an_expression_that_is_none_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="licence expression"):
        faults([package(broken)], {})


def made(folder: Path, metadata: str, licence_text: str = "") -> Distribution:
    info = folder / "some-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: some\nVersion: 1.0\n{metadata}\n")
    (info / "LICENSE.txt").write_text(licence_text)
    (info / "RECORD").write_text(
        "some-1.0.dist-info/METADATA,,\nsome-1.0.dist-info/LICENSE.txt,,\n"
    )
    return Distribution.at(info)


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("Classifier: License :: OSI Approved :: MIT License", "MIT License"),
        ("License: Apache 2\nClassifier: Topic :: X", "Apache 2"),
        ("License: BSD\nClassifier: License :: OSI Approved", "BSD"),
        ("", ""),
    ],
)
def test_the_licence_is_read_from_whatever_metadata_says_it(
    tmp_path: Path, metadata: str, licence: str
) -> None:
    assert declared(made(tmp_path, metadata)) == licence


def test_what_a_wheel_carries_inside_is_read_from_its_licence_files(tmp_path: Path) -> None:
    text = "Name: libgfortran\nLicense: GPL-3.0-or-later WITH GCC-exception-3.1\nMIT License\n"
    assert bundled(made(tmp_path, "", text)) == ("GPL-3.0-or-later WITH GCC-exception-3.1",)


def test_a_lock_that_is_not_what_is_installed_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("orjson==0.0.1 \\\n    --hash=sha256:0\n")
    with pytest.raises(NotInstalledError, match="is installed"):
        packages_of(lock)
    lock.write_text("no-such-package-here==1\n")
    with pytest.raises(NotInstalledError, match="not installed"):
        packages_of(lock)


def test_the_bill_of_materials_says_who_needs_whom_and_is_the_same_each_time() -> None:
    packages = [
        Package("a", "1", "MIT", is_expression=True, needs=("b",)),
        Package("b", "2", "BSD License", is_expression=False),
    ]
    bill = bill_of_materials("onelead", "0.1.0", packages)
    assert bill == bill_of_materials("onelead", "0.1.0", packages)
    other = bill_of_materials("onelead", "0.1.0", packages[1:])
    assert bill["serialNumber"] != other["serialNumber"]
    assert [c["licenses"] for c in bill["components"]] == [
        [{"expression": "MIT"}],
        [{"license": {"name": "BSD License"}}],
    ]
    assert bill["dependencies"] == [
        {"ref": "onelead@0.1.0", "dependsOn": ["pkg:pypi/a@1", "pkg:pypi/b@2"]},
        {"ref": "pkg:pypi/a@1", "dependsOn": ["pkg:pypi/b@2"]},
        {"ref": "pkg:pypi/b@2", "dependsOn": []},
    ]


def test_the_list_gives_the_reason_for_what_is_accepted() -> None:
    table = licence_table([package("GPL-2.0-only")], {("some", "GPL-2.0-only"): "because"})
    assert "- some, GPL-2.0-only: because" in table
