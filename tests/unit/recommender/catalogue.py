"""The reference catalogue, family by family, as samples/LS_SKU_for_Onelead.xlsx holds it."""

from decimal import Decimal

from shared.events import CatalogueEntry
from tests.support.scoring_builders import an_entry


def _family(
    name: str, *rows: tuple[str, tuple[str, ...], int | None, float | None]
) -> tuple[CatalogueEntry, ...]:
    return tuple(
        an_entry(
            service,
            family=name,
            skus=skus,
            list_price=None if price is None else Decimal(price),
            margin=margin,
            position=position,
        )
        for position, (service, skus, price, margin) in enumerate(rows)
    )


STORAGE_3PAR = _family(
    "3PAR",
    ("OS Upgrade", ("HM002A1",), 9_500, 0.42),
    ("Health Check", ("H9Q53AC",), 6_200, 0.55),
    ("Performance Analysis", ("HA124A1#5QX",), 7_800, 0.51),
    ("Rebalance", ("HM2P6A1#001",), 11_400, 0.47),
    ("Migration", ("HA124A1#5Q2",), 28_000, 0.38),
)

COMPUTE = _family(
    "COMPUTE",
    ("Foundation Care", ("H9GW8E",), 4_900, 0.46),
    ("Technical Consultation", ("U7939E",), 2_600, 0.58),
    ("Proactive Care", ("HA114A1",), 12_800, 0.44),
    ("Install & Startup", ("U4522E",), 3_950, 0.40),
    ("Firmware Upgrade", ("HL997A1", "HL998A1"), 2_250, 0.52),
    ("Migration", ("HA124A1#5ZA",), 15_600, 0.35),
)

NETWORKING = _family("NETWORKING", ("Install & Startup", ("H4F42A1",), None, None))
