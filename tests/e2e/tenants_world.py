"""An edition with two customers whose data look alike: same territory, same products, other names."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onelead.edition.edition import DEFAULT_TENANT, Edition
from tests.support.command import run_onelead
from tests.support.edition import import_into, running_edition, settle
from tests.support.pipeline import add_tenant
from tests.support.workbooks import BOX_HEADERS, CATALOGUE, as_rows, write_workbook

ALPHA, BETA = DEFAULT_TENANT, "betatown"
SECRET, OWN = "ALPHASECRET", "BETAOWN"
"""Words that only the one's, only the other's data hold."""


def export(path: Path, word: str, boxes: int = 4) -> Path:
    """Boxes without a contract, each with a renewal and more."""
    box = {
        "Account_Sales_Territory_Id": "70001",
        "Product_Id": "N9Z62A",
        "Product_Name": f"HPE Primera 650 {word} Storage Base",
        "Product_Platform_Description_Name": "Primera 600",
        "Product_End_of_Life_Date": "2015-01-01",
        "Final_Service_End_Date": "2020-09-01",
        "Support_Status": "Warranty Expired - Uncovered Box",
    }
    rows = [box | {"Product_Serial_Number": f"{word}{number}"} for number in range(1, boxes + 1)]
    return write_workbook(path, {"Install Base": as_rows(BOX_HEADERS, rows)})


@dataclass(frozen=True)
class TwoTenants:
    """A running edition, and how things of each are called."""

    edition: Edition
    folder: Path

    def run(self, *words: str, tenant: str, code: int | None = 0) -> str:
        """Runs a command as a tenant's; returns all it said."""
        arguments = (*words, "--tenant", tenant)
        result = run_onelead(*arguments, home=self.edition.folder.home, timeout_s=120)
        said = result.stdout + result.stderr
        assert "Traceback" not in said, said
        assert result.returncode != 70, said
        assert code is None or result.returncode == code, said
        return said

    def json(self, *words: str, tenant: str) -> Any:
        """What a command prints as JSON."""
        arguments = (*words, "--tenant", tenant, "--json")
        result = run_onelead(*arguments, home=self.edition.folder.home, timeout_s=120)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@asynccontextmanager
async def two_tenants(folder: Path) -> AsyncIterator[TwoTenants]:
    """Both have imported, been scored and, the first, been alerted."""
    async with running_edition(folder / "home") as edition:
        await add_tenant(edition, BETA)
        for tenant, word in ((ALPHA, SECRET), (BETA, OWN)):
            files = [export(folder / f"{word}.xlsx", word), CATALOGUE]
            await import_into(edition, files, tenant=tenant)
        await settle(edition, ALPHA, BETA)
        yield TwoTenants(edition, folder)
