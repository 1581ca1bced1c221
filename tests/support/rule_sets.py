"""Rules that a tenant may have: as delivered, with every switch turned, with the classic profile."""

from shared.rules.load import default_rules
from tests.support.builders import changed

DEFAULT = default_rules()
EVERY_SWITCH = changed(
    DEFAULT,
    accounts__autolink_conflicting_words=True,
    leads__competitor_support_plays=True,
    leads__one_support_play_per_box=True,
    leads__renewal__ahead_days=90,
    leads__renewal__max_days_since_eol=3000,
    leads__hardware_refresh__value_by_family=True,
    leads__hardware_refresh__family_values={
        "COMPUTE": {"min": 20_000, "max": 60_000},
        "PRIMERA": {"min": 90_000, "max": 400_000},
    },
)
CLASSIC = changed(DEFAULT, scoring__profile="classic")
EVERY_SWITCH_CLASSIC = changed(EVERY_SWITCH, scoring__profile="classic")
RULE_SETS = {
    "default": DEFAULT,
    "classic": CLASSIC,
    "every switch": EVERY_SWITCH,
    "every switch, classic": EVERY_SWITCH_CLASSIC,
}
