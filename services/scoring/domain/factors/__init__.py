"""The factors of the score, one file each; a new one is a file and a line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from services.scoring.domain.case import Case
from services.scoring.domain.factors.classic import (
    classic_propensity,
    classic_strategic_fit,
    classic_urgency,
    classic_value,
)
from services.scoring.domain.factors.propensity import propensity
from services.scoring.domain.factors.strategic_fit import strategic_fit
from services.scoring.domain.factors.urgency import urgency
from services.scoring.domain.factors.value import value
from services.scoring.domain.tally import Component
from shared.rules.model import Scoring

Factor = Callable[[Case, Scoring], Component]

FACTORS: tuple[Factor, ...] = (
    urgency,
    value,
    propensity,
    strategic_fit,
)

CLASSIC_FACTORS: tuple[Factor, ...] = (
    classic_urgency,
    classic_value,
    classic_propensity,
    classic_strategic_fit,
)

PROFILES: Mapping[str, tuple[Factor, ...]] = MappingProxyType(
    {"default": FACTORS, "classic": CLASSIC_FACTORS}
)
