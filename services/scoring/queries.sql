-- name: inputs
-- Leads with everything their next score follows from, where the profile is there and new enough; the
-- caller judges whether it belongs together (domain/wholeness.py). A lead of an account that was merged
-- waits for its move to the one that took it in.
SELECT l.tenant_id, l.event AS lead, l.event_id AS lead_event_id, l.traceparent,
       a.version AS account_version, a.event_id AS account_event_id, a.profile,
       a.as_of AS account_as_of, a.marker_version, a.marker_profile, a.marker_rules,
       d.as_of AS tenant_as_of, d.version AS day_version, e.event AS previous
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
JOIN scoring.leads l USING (tenant_id, lead_id)
JOIN scoring.accounts a ON a.tenant_id = l.tenant_id AND a.account_id = l.account_id
LEFT JOIN scoring.tenants d ON d.tenant_id = l.tenant_id
LEFT JOIN scoring.emitted e ON e.tenant_id = l.tenant_id AND e.lead_id = l.lead_id
WHERE a.version > 0 AND (l.event ->> 'state' = 'withdrawn'
    OR (a.version >= l.account_version AND a.profile ->> 'merged_into' IS NULL))
ORDER BY l.tenant_id, l.lead_id

-- name: waiting_leads
-- Leads whose profile is not there yet.
SELECT count(*) FROM scoring.leads l
LEFT JOIN scoring.accounts a ON a.tenant_id = l.tenant_id AND a.account_id = l.account_id
WHERE coalesce(a.version, 0) < l.account_version

-- name: queue_tenants
-- Every open lead of these tenants.
INSERT INTO scoring.rescoring (tenant_id, lead_id, cause)
SELECT tenant_id, lead_id, CAST(:cause AS text) FROM scoring.leads
WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND event ->> 'state' = 'open'
ORDER BY tenant_id, lead_id
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET cause = excluded.cause

-- name: queue_told
-- The open leads of these tenants of which ingest has told, or whose account it has marked, by these rules.
INSERT INTO scoring.rescoring (tenant_id, lead_id, cause)
SELECT l.tenant_id, l.lead_id, CAST(:cause AS text)
FROM unnest(CAST(:tenants AS text[]), CAST(:rules AS text[])) AS wanted(tenant_id, rules)
JOIN scoring.leads l USING (tenant_id)
JOIN scoring.accounts a ON a.tenant_id = l.tenant_id AND a.account_id = l.account_id
LEFT JOIN scoring.emitted e ON e.tenant_id = l.tenant_id AND e.lead_id = l.lead_id
WHERE l.event ->> 'state' = 'open' AND wanted.rules IN (l.event ->> 'derived_by', a.marker_rules)
  AND (NOT CAST(:unjudged AS boolean)
       OR greatest(l.version, a.marker_version) > coalesce(e.version, 0))
ORDER BY l.tenant_id, l.lead_id
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET cause = excluded.cause

-- name: save_markers
UPDATE scoring.accounts held SET marker_version = marker.version,
    marker_profile = marker.profile, marker_rules = marker.rules
FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[]), CAST(:versions AS bigint[]),
            CAST(:profiles AS bigint[]), CAST(:rules AS text[]))
     AS marker(tenant_id, account_id, version, profile, rules)
WHERE held.tenant_id = marker.tenant_id AND held.account_id = marker.account_id
  AND coalesce(held.marker_version, 0) < marker.version
RETURNING held.tenant_id, held.account_id

-- name: queue_accounts
-- All leads of these accounts. A row that is there is locked, so that nobody takes it before we commit.
INSERT INTO scoring.rescoring (tenant_id, lead_id, cause)
SELECT l.tenant_id, l.lead_id, wanted.cause
FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[]), CAST(:causes AS text[]))
     AS wanted(tenant_id, account_id, cause)
JOIN scoring.leads l USING (tenant_id, account_id)
ORDER BY l.tenant_id, l.lead_id
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET cause = excluded.cause
RETURNING tenant_id, lead_id

-- name: count_leads
SELECT count(*)
FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[])) AS wanted(tenant_id, account_id)
JOIN scoring.leads USING (tenant_id, account_id)

-- name: history
-- Every score that was emitted of a lead, the oldest first.
SELECT version, scored_at, as_of, rules_version, cause, changes,
       event -> 'score' ->> 'score' AS score, event -> 'score' ->> 'priority' AS priority,
       event ->> 'state' AS state
FROM scoring.score_history WHERE tenant_id = :tenant AND lead_id = :lead ORDER BY version

-- name: lock_leads
-- In a statement of its own: the next one then sees what was committed while this one waited.
SELECT FROM scoring.leads
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
     USING (tenant_id, lead_id)
ORDER BY tenant_id, lead_id FOR UPDATE OF leads
