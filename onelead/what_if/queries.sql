-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: places
-- Every pair of name and territory that rows carry, with how many rows do.
SELECT account_name, territory_id, count(*) AS rows FROM ingest.records
WHERE tenant_id = :tenant AND NOT removed AND NOT outranked AND kind <> 'catalogue'
GROUP BY account_name, territory_id

-- name: rows_of_places
-- In the order in which ingest derives accounts from them.
SELECT r.account_name, r.territory_id, r.kind, r.content
FROM unnest(CAST(:names AS text[]), CAST(:territories AS text[])) AS place(name, territory)
JOIN ingest.records r ON r.tenant_id = :tenant AND r.account_name = place.name
     AND r.territory_id = place.territory
WHERE NOT r.removed AND NOT r.outranked AND r.kind <> 'catalogue'
ORDER BY r.kind, r.batch_no, r.part, r.row_no, r.record_id

-- name: closed_projects
-- What counts in averages by some rules, as ingest's `recount_closed` has it.
SELECT account_name, territory_id, count(*) AS closed_count,
       sum(CAST(content ->> 'amount' AS numeric)) AS closed_sum
FROM ingest.records
WHERE tenant_id = :tenant AND NOT removed AND kind = 'project'
  AND lower(content ->> 'status') = ANY(CAST(:closed AS text[]))
  AND coalesce(content ->> 'currency', :currency) = :currency
  AND CAST(content ->> 'amount' AS numeric) > 0
GROUP BY account_name, territory_id

-- name: emitted
SELECT event FROM scoring.emitted
WHERE tenant_id = :tenant AND lead_id = ANY(CAST(:leads AS text[]))

-- name: open_emitted
SELECT count(*) FROM scoring.emitted WHERE tenant_id = :tenant AND event ->> 'state' = 'open'

-- name: leads_to_rescore
SELECT count(*) FROM scoring.rescoring WHERE tenant_id = :tenant
