-- name: leads_called
-- Leads with one of these ids, or whose id begins so; more than a few are not asked for.
SELECT event FROM scoring.emitted
WHERE tenant_id = :tenant
  AND (lead_id = ANY(CAST(:ids AS text[])) OR starts_with(lead_id, CAST(:prefix AS text)))
ORDER BY lead_id LIMIT 10

-- name: published
SELECT event FROM recommender.published WHERE tenant_id = :tenant AND lead_id = :lead
