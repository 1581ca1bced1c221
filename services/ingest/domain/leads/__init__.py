"""The lead rules. To add one: a file with its `play`, a line in LEAD_RULES, a member of LeadType."""

from services.ingest.domain.leads import hardware_refresh, renewal, service_attach
from services.ingest.domain.leads.case import LeadRule
from shared.events import LeadType

LEAD_RULES: tuple[LeadRule, ...] = (
    LeadRule(LeadType.RENEWAL, renewal.play),
    LeadRule(LeadType.HARDWARE_REFRESH, hardware_refresh.play),
    LeadRule(LeadType.SERVICE_ATTACH, service_attach.play),
)
