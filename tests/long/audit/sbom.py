"""A software bill of materials in CycloneDX's JSON, the same for the same lock."""

import uuid
from collections.abc import Sequence
from typing import Any

from tests.long.audit.packages import Package

_NAMESPACE = uuid.UUID("6f2c1a86-6a3c-4b0e-9d39-2d7a6c6b1f10")


def bill_of_materials(name: str, version: str, packages: Sequence[Package]) -> dict[str, Any]:
    """What `name` is made of."""
    content = "\n".join(f"{p.name}=={p.version}" for p in packages)
    root = f"{name}@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{root} {content}')}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": name,
                "version": version,
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [
            {"ref": root, "dependsOn": [purl(package) for package in packages]},
            *(_dependency(package, packages) for package in packages),
        ],
    }


def purl(package: Package) -> str:
    """The package's universal address."""
    return f"pkg:pypi/{package.name}@{package.version}"


def _component(package: Package) -> dict[str, Any]:
    licence: dict[str, Any] = {"license": {"name": package.licence}}
    if package.is_expression:
        licence = {"expression": package.licence}
    return {
        "type": "library",
        "bom-ref": purl(package),
        "name": package.name,
        "version": package.version,
        "purl": purl(package),
        "licenses": [licence],
    }


def _dependency(package: Package, packages: Sequence[Package]) -> dict[str, Any]:
    by_name = {each.name: purl(each) for each in packages}
    return {"ref": purl(package), "dependsOn": [by_name[name] for name in package.needs]}
