-- name: inputs
-- Leads with everything their public form follows from, where the catalogue is there and new enough.
SELECT s.tenant_id, s.event AS scored, s.event_id AS scored_event_id, s.traceparent,
       f.event AS family, f.event_id AS family_event_id, p.event AS previous,
       p.version AS previous_version
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
JOIN recommender.scored s USING (tenant_id, lead_id)
LEFT JOIN recommender.families f ON f.tenant_id = s.tenant_id AND f.family = s.family
LEFT JOIN recommender.published p ON p.tenant_id = s.tenant_id AND p.lead_id = s.lead_id
WHERE coalesce(f.version, 0) >= s.family_version OR s.event ->> 'state' = 'withdrawn'
ORDER BY s.tenant_id, s.lead_id

-- name: waiting_leads
-- Leads whose catalogue is not there yet.
SELECT count(*) FROM recommender.scored s
LEFT JOIN recommender.families f ON f.tenant_id = s.tenant_id AND f.family = s.family
WHERE coalesce(f.version, 0) < s.family_version

-- name: queue_all
-- Every scored lead of these tenants.
INSERT INTO recommender.queue (tenant_id, lead_id)
SELECT tenant_id, lead_id FROM recommender.scored
WHERE tenant_id = ANY(CAST(:tenants AS text[])) ORDER BY tenant_id, lead_id
ON CONFLICT (tenant_id, lead_id) DO NOTHING

-- name: count_of_families
SELECT count(*)
FROM unnest(CAST(:tenants AS text[]), CAST(:families AS text[])) AS wanted(tenant_id, family)
JOIN recommender.scored USING (tenant_id, family)

-- name: queue_families
-- All leads of these families. A row that is there is locked, so that nobody takes it before we commit.
INSERT INTO recommender.queue (tenant_id, lead_id)
SELECT s.tenant_id, s.lead_id
FROM unnest(CAST(:tenants AS text[]), CAST(:families AS text[])) AS wanted(tenant_id, family)
JOIN recommender.scored s USING (tenant_id, family)
ORDER BY s.tenant_id, s.lead_id
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET lead_id = excluded.lead_id
RETURNING tenant_id, lead_id

-- name: lock_leads
-- In a statement of its own: the next one then sees what was committed while this one waited.
SELECT FROM recommender.scored
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
     USING (tenant_id, lead_id)
ORDER BY tenant_id, lead_id FOR UPDATE OF scored
