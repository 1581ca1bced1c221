-- name: listed
-- Leads with how they stand, the best first; a filter that is null lets everything through.
SELECT l.lead_id, s.state, l.priority, l.score, l.account, l.account_id, l.title, l.lead_type,
       l.territory, l.office_id, l.serial_number, l.value_max, l.currency, s.owner, s.snoozed_until,
       s.follow_up_at, s.follow_up_note, s.do_not_contact_until, s.withdrawn, s.touched_at
FROM lifecycle.leads l JOIN lifecycle.statuses s USING (tenant_id, lead_id)
WHERE tenant_id = :tenant
  AND (CAST(:states AS text[]) IS NULL OR s.state = ANY(CAST(:states AS text[])))
  AND (CAST(:owners AS text[]) IS NULL OR s.owner = ANY(CAST(:owners AS text[])))
  AND (CAST(:priorities AS text[]) IS NULL OR l.priority = ANY(CAST(:priorities AS text[])))
  AND (CAST(:types AS text[]) IS NULL OR l.lead_type = ANY(CAST(:types AS text[])))
  AND (CAST(:territories AS text[]) IS NULL OR l.territory = ANY(CAST(:territories AS text[])))
  AND (CAST(:offices AS text[]) IS NULL OR l.office_id = ANY(CAST(:offices AS text[])))
  AND (CAST(:withdrawn AS boolean) OR NOT s.withdrawn)
  AND (NOT CAST(:overdue AS boolean) OR s.follow_up_at <= CAST(:now AS timestamptz))
  AND (NOT CAST(:snoozed AS boolean) OR s.snoozed_until > CAST(:now AS timestamptz))
ORDER BY l.score DESC, l.lead_id
LIMIT CAST(:limit AS bigint)

-- name: called
-- Leads with one of these ids, or whose id begins so; more than a few are not asked for.
SELECT l.lead_id, s.state, l.priority, l.score, l.account, l.account_id, l.title, l.lead_type,
       l.territory, l.office_id, l.serial_number, l.value_max, l.currency, s.owner, s.snoozed_until,
       s.follow_up_at, s.follow_up_note, s.do_not_contact_until, s.withdrawn, s.touched_at
FROM lifecycle.leads l JOIN lifecycle.statuses s USING (tenant_id, lead_id)
WHERE tenant_id = :tenant
  AND (lead_id = ANY(CAST(:ids AS text[])) OR starts_with(lead_id, CAST(:prefix AS text)))
ORDER BY lead_id LIMIT 10

-- name: history
-- Everything that changed about a lead, the oldest first.
SELECT version, field, before, after, change, changed_at, actor_kind, actor_id, why, command_id, causes
FROM lifecycle.history WHERE tenant_id = :tenant AND lead_id = :lead
ORDER BY version, field
