"""Scores the leads of the first way: for each lead and factor the queries that the factor needs.

Reads and writes the tables of `first_way`; the factors are those of docs/rules.md §4.
"""

from datetime import date
from math import exp

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.first_way import RULES, Box, Deal, Job, Lead, age
from services.scoring.domain.score import priority_of, round_score
from shared.rules.model import Banded

SCORING = RULES.scoring


def score_leads(session: Session) -> int:
    """Scores every lead; how many there are."""
    leads = session.scalars(select(Lead)).all()
    for lead in leads:
        box = session.scalars(select(Box).where(Box.serial == lead.box)).one()
        weights = SCORING.weights
        total = (
            weights.urgency * urgency(box)
            + weights.value * value(session, lead, box)
            + weights.propensity * propensity(session, box)
            + weights.strategic_fit * strategic_fit(session, lead, box)
        )
        lead.score = round_score(total)
        lead.priority = priority_of(lead.score, SCORING.priorities).value
    session.commit()
    return len(leads)


def urgency(box: Box) -> float:
    """From the dates, the brand and the generation of the box."""
    rule, points = SCORING.urgency, SCORING.urgency.base
    eol, expiry = age(box.end_of_life), age(box.service_end)
    for days, part in ((eol, rule.eol), (expiry, rule.expiry)):
        if days is not None and days > 0:
            points += part.max_points * (1 - exp(-days / part.time_constant_days))
    return min(100, points + _competitive(box, eol))


def _competitive(box: Box, eol: int | None) -> float:
    rule = SCORING.urgency.competitive
    points = rule.brand_points if box.competitor else 0.0
    if eol is not None and 0 <= eol <= rule.eol_window_after_days:
        points += rule.eol_window_after_points
    if eol is not None and -rule.eol_window_before_days <= eol < 0:
        points += rule.eol_window_before_points
    latest = RULES.products.latest_generation
    if box.generation is not None and latest - box.generation >= rule.generation_gap:
        points += rule.generation_gap_points
    return min(rule.cap, points)


def value(session: Session, lead: Lead, box: Box) -> float:
    """From the lead's value, the average of the account and of the territory, and the items."""
    rule = SCORING.value
    closed = (Job.account == box.account, Job.status == "CLSD", Job.amount > 0)
    account = session.scalar(select(func.avg(Job.amount)).where(*closed))
    territory = session.scalar(select(func.avg(Job.amount)).where(*closed))
    items = session.scalar(select(func.count()).where(Box.account == box.account)) or 0
    parts = [(rule.absolute, lead.value_max)]
    parts += [(rule.account_ratio, lead.value_max / account)] if account else []
    parts += [(rule.territory_ratio, lead.value_max / territory)] if territory else []
    possible = sum(steps.steps[0].points for steps, _ in parts)
    points = sum(_at_least(steps, ratio) for steps, ratio in parts)
    return min(
        100, rule.base + rule.context_max * points / possible + _above(rule.items_above, items)
    )


def propensity(session: Session, box: Box) -> float:
    """From what the account is talking about and has bought."""
    rule, points = SCORING.propensity, SCORING.propensity.base
    deals = session.scalars(select(Deal).where(Deal.account == box.account)).all()
    stages = [deal.stage for deal in deals if deal.stage]
    won, lost = stages.count("Closed Won"), stages.count("Closed Lost")
    points += _above(rule.open_above, len(stages) - won - lost)
    points += _at_least(rule.win_rate, won / (won + lost)) if won + lost else 0
    last = session.scalar(select(func.max(Job.updated)).where(Job.account == box.account))
    if (days := age(last)) is not None:
        near = (step.points for step in rule.last_project_within_days if max(0, days) <= step.at)
        points += next(near, 0)
    points += _trend(session, box) + rule.segment_points.get(segment(session, box), 0)
    return max(0, min(100, points))


def _trend(session: Session, box: Box) -> float:
    rule = SCORING.propensity.trend
    closed = (Job.account == box.account, Job.status == "CLSD", Job.amount > 0)
    latest = select(Job.amount).where(*closed, Job.updated.is_not(None))
    latest = latest.order_by(Job.updated.desc(), Job.start.desc(), Job.id.desc())
    amounts = [each or 0 for each in session.scalars(latest.limit(rule.latest))]
    newest, rest = amounts[: rule.newest], amounts[rule.newest :]
    if len(amounts) < rule.min_needed or not sum(rest):
        return 0
    return _at_least(rule.ratio, (sum(newest) / len(newest)) / (sum(rest) / len(rest)))


def segment(session: Session, box: Box) -> str:
    """The size of the account, from its items and what it spent within a year."""
    rule = RULES.segments
    items = session.scalar(select(func.count()).where(Box.account == box.account)) or 0
    jobs = session.scalars(select(Job).where(Job.account == box.account, Job.status == "CLSD"))
    window = rule.spend_window_days
    spend = sum(job.amount or 0 for job in jobs if job.updated and _within(job.updated, window))
    if items >= rule.strategic_enterprise.items and spend >= rule.strategic_enterprise.spend:
        return "STRATEGIC_ENTERPRISE"
    grows = items >= rule.growth.items and spend >= rule.growth.spend
    return "GROWTH" if grows else "TRANSACTIONAL"


def strategic_fit(session: Session, lead: Lead, box: Box) -> float:
    """From the family, the play and the size of the account."""
    rule = SCORING.strategic_fit
    wanted = box.family in rule.families or box.parent in rule.families
    points = rule.base + (rule.family_points if wanted else 0)
    points += rule.lead_type_points.get(lead.lead_type, 0)
    return min(100, points + rule.segment_points.get(segment(session, box), 0))


def _within(day: date, window: int) -> bool:
    days = age(day)
    return days is not None and days <= window


def _at_least(steps: Banded, value: float) -> float:
    return next((step.points for step in steps.steps if value >= step.at), steps.below)


def _above(steps: Banded, value: float) -> float:
    return next((step.points for step in steps.steps if value > step.at), steps.below)
