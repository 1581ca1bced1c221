"""The way the first OneLead did it: pandas rows into ORM objects on SQLite, then queries for each lead.

Reads the CSV files, writes leads with scores into a SQLite file. The rules are those of docs/rules.md
with the numbers of the default rules file; it keeps no ledger and offers no services.
"""

import sys
from datetime import date
from pathlib import Path
from uuid import uuid4

import pandas as pd
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.generate import AS_OF
from services.ingest.domain.families import product_of
from services.ingest.domain.risk import risk_of
from shared.events import Risk
from shared.rules.load import default_rules
from shared.rules.model import MoneyRange

RULES = default_rules()


class Base(DeclarativeBase):
    """The tables."""


class Account(Base):
    """A customer; in these files each has one territory."""

    __tablename__ = "accounts"
    territory: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]


class Box(Base):
    """A row of the install base."""

    __tablename__ = "boxes"
    serial: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.territory"), index=True)
    product: Mapped[str]
    family: Mapped[str | None]
    parent: Mapped[str | None]
    generation: Mapped[int | None]
    competitor: Mapped[str | None]
    platform: Mapped[str]
    status: Mapped[str | None]
    end_of_life: Mapped[date | None]
    service_end: Mapped[date | None]


class Deal(Base):
    """An opportunity."""

    __tablename__ = "opportunities"
    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.territory"), index=True)
    stage: Mapped[str | None]


class Job(Base):
    """A project."""

    __tablename__ = "projects"
    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.territory"), index=True)
    status: Mapped[str | None]
    amount: Mapped[float | None]
    start: Mapped[date | None]
    updated: Mapped[date | None]


class Lead(Base):
    """A play on a box, with its score."""

    __tablename__ = "leads"
    id: Mapped[str] = mapped_column(primary_key=True)
    box: Mapped[str] = mapped_column(ForeignKey("boxes.serial"))
    lead_type: Mapped[str]
    risk: Mapped[str]
    value_min: Mapped[float]
    value_max: Mapped[float]
    score: Mapped[float | None]
    priority: Mapped[str | None]


def text(value: object) -> str | None:
    """A cell as text; None for a missing one."""
    found = str(value).strip()
    return None if found.lower() in ("", "nan", "(null)", "null", "n/a") else found


def day(value: object) -> date | None:
    """A cell as a day."""
    found = text(value)
    return date.fromisoformat(found[:10]) if found else None


def money(value: object) -> float | None:
    """A cell as an amount."""
    found = text(value)
    return float(found.replace("$", "").replace(",", "")) if found else None


def load(session: Session, boxes: Path, deals: Path, jobs: Path, limit: int) -> None:
    """The rows of all files as objects, as many boxes as asked for."""
    installed = pd.read_csv(boxes, nrows=limit, dtype=str)
    wanted = set(installed["Account_Sales_Territory_Id"])
    sold = pd.read_csv(deals, dtype=str)
    done = pd.read_csv(jobs, dtype=str)
    names = dict(zip(sold["Account_Name"], sold["Account_Territory_Id"], strict=True))
    whose = {territory: name for name, territory in names.items()}
    session.add_all(Account(territory=each, name=whose.get(each)) for each in sorted(wanted))
    session.flush()
    for _, row in installed.iterrows():
        _add_box(session, row)
    for _, row in sold[sold["Account_Territory_Id"].isin(wanted)].iterrows():
        deal = Deal(id=row["Opportunity_Id"], account=row["Account_Territory_Id"])
        deal.stage = text(row["Stage"])
        session.add(deal)
    for _, row in done.iterrows():
        if (account := names.get(row["Customer_Name"])) in wanted and account is not None:
            job = Job(id=row["Project_Id"], account=account, status=text(row["Status"]))
            job.amount, job.start = money(row["Amount"]), day(row["Start_Date"])
            job.updated = day(row["Updated_Date"])
            session.add(job)
    session.commit()


def _add_box(session: Session, row: "pd.Series[str]") -> None:
    """A box that is there already is kept with the later end of service."""
    serial, end = row["Product_Serial_Number"], day(row["Final_Service_End_Date"])
    known = session.get(Box, serial)
    if known is not None and (end or date.min) <= (known.service_end or date.min):
        return
    box = known or Box(serial=serial)
    box.account = row["Account_Sales_Territory_Id"]
    box.product = row["Product_Name"]
    box.platform = row["Product_Platform_Description_Name"]
    box.status = text(row["Support_Status"])
    box.end_of_life, box.service_end = day(row["Product_End_of_Life_Date"]), end
    session.add(box)


def detect(session: Session) -> None:
    """The leads of every box (docs/rules.md §3)."""
    for box in session.scalars(select(Box)):
        eol, expiry = age(box.end_of_life), age(box.service_end)
        risk = risk_of(eol, expiry, RULES.leads.risk)
        product = product_of(box.product, box.platform, RULES.products)
        box.family, box.parent = product.family, product.parent
        box.generation, box.competitor = product.generation, product.competitor_brand
        benchmark = RULES.values.family_benchmarks.get(product.family, RULES.values.default)
        status = (box.status or "").lower()
        ours = product.competitor_brand is None
        if ours and "expired" in status and risk in (Risk.CRITICAL, Risk.HIGH):
            _add_lead(session, box, "renewal", risk, benchmark)
        if eol is not None and eol > 1825:
            limits = RULES.leads.hardware_refresh.value
            _add_lead(session, box, "hardware_refresh", risk, limits)
        if ours and "uncovered" in status:
            _add_lead(session, box, "service_attach", risk, benchmark)
    session.commit()


def _add_lead(session: Session, box: Box, lead_type: str, risk: Risk, worth: MoneyRange) -> None:
    values = {"value_min": float(worth.min), "value_max": float(worth.max)}
    lead = Lead(id=str(uuid4()), box=box.serial, lead_type=lead_type, risk=risk.value, **values)
    session.add(lead)


def age(when: date | None) -> int | None:
    """Days since a date, negative before it."""
    return None if when is None else (AS_OF - when).days


def main() -> None:
    """`python -m bench.first_way BOXES DEALS PROJECTS ROWS DATABASE`: prints the number of leads."""
    from bench.first_way_scores import score_leads  # noqa: PLC0415 - it needs the tables above

    boxes, deals, jobs = (Path(each) for each in sys.argv[1:4])
    engine = create_engine(f"sqlite:///{sys.argv[5]}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        load(session, boxes, deals, jobs, int(sys.argv[4]))
        detect(session)
        sys.stdout.write(str(score_leads(session)))


if __name__ == "__main__":
    main()
