-- name: lock_tenant
-- One writer per tenant.
SELECT pg_advisory_xact_lock(hashtextextended('onelead ingest ' || :tenant, 0))

-- name: count_rows
-- The report of a batch: rows by kind and outcome.
SELECT kind, count(*) AS read,
       count(*) FILTER (WHERE outcome IN ('used', 'degraded')) AS used,
       count(*) FILTER (WHERE outcome = 'degraded') AS degraded,
       count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined
FROM ingest.record_versions WHERE tenant_id = :tenant AND batch_no = :batch_no
GROUP BY kind ORDER BY kind

-- name: repeated_boxes
-- Rows of a box that a batch holds more than once, each with the row that is kept.
SELECT loser.part, loser.row_no, loser.source, loser.content AS dropped, winner.content AS kept,
       winner.part AS kept_part
FROM ingest.ranked_versions loser
JOIN ingest.ranked_versions winner USING (tenant_id, batch_no, kind, source, record_id)
WHERE loser.tenant_id = :tenant AND loser.batch_no = :batch_no AND loser.kind = 'install_base'
  AND loser.rank > 1 AND loser.change_version = 0 AND winner.rank = 1
  AND loser.outcome <> 'removed' AND winner.outcome <> 'removed'
ORDER BY loser.part, loser.row_no

-- name: quarantine
UPDATE ingest.record_versions SET outcome = 'quarantined'
FROM unnest(CAST(:parts AS int[]), CAST(:row_nos AS bigint[])) AS dropped(part, row_no)
WHERE tenant_id = :tenant AND batch_no = :batch_no AND kind = 'install_base'
  AND record_versions.part = dropped.part AND record_versions.row_no = dropped.row_no

-- name: apply_rows
-- A batch's rows become the latest of their records; `touched` says which of them changed.
INSERT INTO ingest.records AS held
    (tenant_id, kind, source, record_id, batch_no, part, row_no, change_version, touched,
     touched_place, removed, outranked, content, content_hash, account_name, territory_id,
     created, closed_amount)
SELECT tenant_id, kind, source, record_id, batch_no, part, row_no, change_version, batch_no,
       (CAST(part AS bigint) << 40) + row_no, false, false, content, content_hash, account_name,
       territory_id, created, closed_amount
FROM ingest.ranked_versions
WHERE tenant_id = :tenant AND batch_no = :batch_no AND rank = 1 AND content IS NOT NULL
ORDER BY kind, source, record_id
ON CONFLICT (tenant_id, kind, source, record_id) DO UPDATE SET
    batch_no = excluded.batch_no, part = excluded.part, row_no = excluded.row_no,
    change_version = greatest(held.change_version, excluded.change_version),
    touched = CASE WHEN held.removed OR held.content_hash <> excluded.content_hash
                   THEN excluded.batch_no ELSE held.touched END,
    touched_place = CASE WHEN held.removed OR held.content_hash <> excluded.content_hash
                         THEN excluded.touched_place ELSE held.touched_place END,
    removed = false, content = excluded.content, content_hash = excluded.content_hash,
    account_name = excluded.account_name, territory_id = excluded.territory_id,
    created = excluded.created, closed_amount = excluded.closed_amount
WHERE held.batch_no <= excluded.batch_no
  AND (excluded.change_version = 0 OR held.change_version < excluded.change_version)

-- name: remove_single
-- Records that a single change took away. One that is not there is noted as removed, and a newer removal of
-- one that is gone is noted too: else an older change that comes later would bring it back. Ranked once:
-- records that have just come in have no statistics yet, and the planner would rank the whole batch again
-- for each of them.
WITH gone AS MATERIALIZED (
    SELECT * FROM ingest.ranked_versions
    WHERE tenant_id = :tenant AND batch_no = :batch_no AND rank = 1 AND outcome = 'removed')
INSERT INTO ingest.records AS held
    (tenant_id, kind, source, record_id, batch_no, part, row_no, change_version, touched,
     touched_place, removed, outranked, content, content_hash, account_name, territory_id)
SELECT tenant_id, kind, source, record_id, 0, part, row_no, change_version, 0, 0, true, false,
       CAST('{}' AS jsonb), '', '', ''
FROM gone  -- batch 0: against the rows of any import such a removal says nothing
ORDER BY kind, source, record_id
ON CONFLICT (tenant_id, kind, source, record_id) DO UPDATE SET
    removed = true, change_version = excluded.change_version,
    touched = CASE WHEN held.removed THEN held.touched ELSE :batch_no END,
    batch_no = CASE WHEN held.removed THEN held.batch_no ELSE :batch_no END
WHERE held.change_version < excluded.change_version

-- name: remove_absent
-- Records of a source that its newest snapshot does not hold, quarantined rows counting as held.
UPDATE ingest.records AS held SET removed = true, touched = :batch_no, batch_no = :batch_no
WHERE held.tenant_id = :tenant AND held.kind = :kind AND held.source = :source
  AND NOT held.removed AND held.batch_no < :batch_no
  AND NOT EXISTS (
    SELECT FROM ingest.record_versions v
    WHERE v.tenant_id = held.tenant_id AND v.batch_no = :batch_no AND v.kind = held.kind
      AND v.source = held.source AND v.record_id = held.record_id)

-- name: shared_boxes
-- Touched boxes that several sources have a row of. One pass over the tenant's boxes: as a look for each
-- touched one it takes hours where a first import has left the planner without statistics.
SELECT record_id FROM ingest.records
WHERE tenant_id = :tenant AND kind = 'install_base'
GROUP BY record_id HAVING count(*) > 1 AND bool_or(touched = :batch_no)

-- name: rank_boxes
-- Of the rows of a box the one that changed last counts, the others are outranked; returns the accounts
-- of the rows for which that turned.
UPDATE ingest.records AS held SET outranked = ranked.outranked
FROM (
    SELECT source, record_id, NOT removed AND row_number() OVER (
        PARTITION BY record_id ORDER BY removed, touched DESC, touched_place DESC, source) > 1
        AS outranked
    FROM ingest.records
    WHERE tenant_id = :tenant AND kind = 'install_base'
      AND record_id = ANY(CAST(:boxes AS text[]))) AS ranked
WHERE held.tenant_id = :tenant AND held.kind = 'install_base' AND held.source = ranked.source
  AND held.record_id = ranked.record_id AND held.outranked <> ranked.outranked
RETURNING held.account_id

-- name: touched_kinds
SELECT DISTINCT kind FROM ingest.records WHERE tenant_id = :tenant AND touched = :batch_no

-- name: touched_accounts
SELECT DISTINCT account_id FROM ingest.records
WHERE tenant_id = :tenant AND touched = :batch_no AND account_id IS NOT NULL

-- name: records_of_accounts
SELECT account_id, kind, content FROM ingest.records
WHERE tenant_id = :tenant AND account_id = ANY(CAST(:accounts AS text[])) AND NOT removed
  AND NOT outranked AND kind <> 'catalogue'
ORDER BY account_id, kind, batch_no, part, row_no, record_id

-- name: catalogue_rows
SELECT content FROM ingest.records
WHERE tenant_id = :tenant AND kind = 'catalogue' AND NOT removed
ORDER BY part, row_no, record_id

-- name: boxes_elsewhere
-- Boxes that are still there, but belong to none of these accounts.
SELECT DISTINCT record_id FROM ingest.records
WHERE tenant_id = :tenant AND kind = 'install_base' AND NOT removed AND NOT outranked
  AND record_id = ANY(CAST(:boxes AS text[]))
  AND account_id IS NOT NULL AND NOT account_id = ANY(CAST(:accounts AS text[]))

-- name: name_uses
-- How every spelling is used, by territory.
SELECT account_name AS raw_name, nullif(territory_id, '') AS territory_id, count(*) AS rows,
       count(*) FILTER (WHERE kind = 'opportunity') AS opportunity_rows,
       max(created) FILTER (WHERE kind = 'opportunity') AS latest_created,
       coalesce(min(row_no) FILTER (WHERE kind = 'opportunity'), min(row_no)) AS first_row,
       min(content ->> 'postal_code') AS postal_code, min(content ->> 'domain') AS domain
FROM ingest.records
WHERE tenant_id = :tenant AND NOT removed AND account_name <> ''
GROUP BY 1, 2 ORDER BY 1, 2

-- name: places
-- Every pair of name and territory that a record carries.
SELECT DISTINCT account_name, territory_id FROM ingest.records
WHERE tenant_id = :tenant AND kind <> 'catalogue'

-- name: moving
-- The accounts that records are about to leave, and those they are about to join.
SELECT DISTINCT unnest(ARRAY[r.account_id, place.account_id])
FROM ingest.records r,
     unnest(CAST(:names AS text[]), CAST(:territories AS text[]), CAST(:accounts AS text[]))
         AS place(account_name, territory_id, account_id)
WHERE r.tenant_id = :tenant AND r.kind <> 'catalogue'
  AND r.account_name = place.account_name AND r.territory_id = place.territory_id
  AND r.account_id IS DISTINCT FROM place.account_id

-- name: relink
UPDATE ingest.records r SET account_id = place.account_id
FROM unnest(CAST(:names AS text[]), CAST(:territories AS text[]), CAST(:accounts AS text[]))
         AS place(account_name, territory_id, account_id)
WHERE r.tenant_id = :tenant AND r.kind <> 'catalogue'
  AND r.account_name = place.account_name AND r.territory_id = place.territory_id
  AND r.account_id IS DISTINCT FROM place.account_id

-- name: recount_closed
-- By new rules, the amounts of closed projects that count in averages, as `closed_totals` has them.
UPDATE ingest.records AS held SET closed_amount = judged.amount
FROM (
    SELECT source, record_id, CASE
        WHEN lower(content ->> 'status') = ANY(CAST(:closed AS text[]))
         AND coalesce(content ->> 'currency', :currency) = :currency
         AND CAST(content ->> 'amount' AS numeric) > 0
        THEN CAST(content ->> 'amount' AS numeric) END AS amount
    FROM ingest.records WHERE tenant_id = :tenant AND kind = 'project') AS judged
WHERE held.tenant_id = :tenant AND held.kind = 'project' AND held.source = judged.source
  AND held.record_id = judged.record_id AND held.closed_amount IS DISTINCT FROM judged.amount

-- name: update_totals
-- The closed sums of accounts; returns those that changed.
INSERT INTO ingest.account_totals AS held (tenant_id, account_id, closed_count, closed_sum)
SELECT :tenant, a.account_id, count(r.closed_amount), coalesce(sum(r.closed_amount), 0)
FROM unnest(CAST(:accounts AS text[])) AS a(account_id)
LEFT JOIN ingest.records r ON r.tenant_id = :tenant AND r.account_id = a.account_id
     AND r.kind = 'project' AND NOT r.removed
GROUP BY a.account_id ORDER BY a.account_id
ON CONFLICT (tenant_id, account_id) DO UPDATE
    SET closed_count = excluded.closed_count, closed_sum = excluded.closed_sum
    WHERE (held.closed_count, held.closed_sum) <> (excluded.closed_count, excluded.closed_sum)
RETURNING account_id

-- name: neighbours
-- All accounts that share a territory with these.
SELECT DISTINCT other.account_id FROM ingest.account_territories mine
JOIN ingest.account_territories other USING (tenant_id, territory_id)
WHERE mine.tenant_id = :tenant AND mine.account_id = ANY(CAST(:accounts AS text[]))

-- name: territory_totals
SELECT a.territory_id, sum(s.closed_count) AS closed_count, sum(s.closed_sum) AS closed_sum
FROM ingest.account_territories a
JOIN ingest.account_totals s USING (tenant_id, account_id)
WHERE a.tenant_id = :tenant AND a.territory_id = ANY(CAST(:territories AS text[]))
GROUP BY a.territory_id

-- name: mark_all_dirty
INSERT INTO ingest.dirty_accounts (tenant_id, account_id)
SELECT tenant_id, name FROM ingest.directory
WHERE tenant_id = :tenant AND subject = 'accounts' ORDER BY name
ON CONFLICT (tenant_id, account_id) DO NOTHING

-- name: mark_families_dirty
-- The accounts whose leads are worth what these families' services cost, or fall back on them.
INSERT INTO ingest.dirty_accounts (tenant_id, account_id)
SELECT DISTINCT tenant_id, account_id FROM ingest.leads
WHERE tenant_id = :tenant AND state = 'open'
  AND (lead ->> 'product_family' = ANY(CAST(:families AS text[]))
       OR lead ->> 'product_family_parent' = ANY(CAST(:families AS text[])))
ORDER BY account_id
ON CONFLICT (tenant_id, account_id) DO NOTHING

-- name: dirty_count
SELECT count(*) FROM ingest.dirty_accounts WHERE tenant_id = :tenant

-- name: take_dirty
-- Takes accounts off the queue, one at least, until they hold so many rows; they are back if the
-- transaction fails.
WITH next AS MATERIALIZED (
    SELECT account_id FROM ingest.dirty_accounts
    WHERE tenant_id = :tenant ORDER BY account_id LIMIT :limit),
held AS MATERIALIZED (
    SELECT account_id, count(*) AS rows FROM ingest.records
    WHERE tenant_id = :tenant AND account_id = ANY(ARRAY(SELECT account_id FROM next))
    GROUP BY account_id),
counted AS MATERIALIZED (
    SELECT account_id, coalesce(rows, 0) AS rows,
           sum(coalesce(rows, 0)) OVER (ORDER BY account_id) AS with_it
    FROM next LEFT JOIN held USING (account_id))
DELETE FROM ingest.dirty_accounts
WHERE tenant_id = :tenant AND account_id IN (
    SELECT account_id FROM counted WHERE with_it - rows < CAST(:rows AS bigint))
RETURNING account_id

-- name: mark_accounts
-- Accounts with open leads that were told with another profile or by other rules, and not marked since.
-- A mark is newer than each lead that it is about. Whether there is one or not, they wait no longer.
WITH settled AS (
    DELETE FROM ingest.unmarked_accounts
    WHERE tenant_id = :tenant AND account_id = ANY(CAST(:accounts AS text[])))
INSERT INTO ingest.markers AS held (tenant_id, account_id, version, account_version, derived_by)
SELECT p.tenant_id, p.account_id,
       greatest(CAST(:now AS bigint), max(l.version) + 1, coalesce(max(m.version), 0) + 1),
       p.version, CAST(:derived_by AS text)
FROM ingest.profiles p
JOIN ingest.leads l ON l.tenant_id = p.tenant_id AND l.account_id = p.account_id
LEFT JOIN ingest.markers m ON m.tenant_id = p.tenant_id AND m.account_id = p.account_id
WHERE p.tenant_id = :tenant AND p.account_id = ANY(CAST(:accounts AS text[])) AND l.state = 'open'
  AND (l.account_version, l.derived_by) IS DISTINCT FROM (p.version, CAST(:derived_by AS text))
  AND (m.account_version, m.derived_by, m.version > l.version)
      IS DISTINCT FROM (p.version, CAST(:derived_by AS text), true)
GROUP BY p.tenant_id, p.account_id, p.version
ORDER BY p.account_id
ON CONFLICT (tenant_id, account_id) DO UPDATE SET version = excluded.version,
    account_version = excluded.account_version, derived_by = excluded.derived_by
RETURNING account_id, version, account_version

-- name: put_off_all
INSERT INTO ingest.unmarked_accounts (tenant_id, account_id)
SELECT DISTINCT tenant_id, account_id FROM ingest.leads
WHERE tenant_id = :tenant AND state = 'open' ORDER BY account_id
ON CONFLICT (tenant_id, account_id) DO NOTHING

-- name: behind
-- Whether there are open leads that were told by other rules, and not marked since; and no new rules wait.
SELECT EXISTS (
    SELECT FROM ingest.leads l
    LEFT JOIN ingest.markers m ON m.tenant_id = l.tenant_id AND m.account_id = l.account_id
    WHERE l.tenant_id = :tenant AND l.state = 'open'
      AND l.derived_by IS DISTINCT FROM CAST(:derived_by AS text)
      AND (m.version > l.version AND m.derived_by = CAST(:derived_by AS text)) IS NOT TRUE)
  AND NOT EXISTS (
    SELECT FROM ingest.batches
    WHERE tenant_id = :tenant AND work = 'rules' AND state IN ('complete', 'applied'))

-- name: rules_wait
SELECT EXISTS (
    SELECT FROM ingest.batches
    WHERE tenant_id = :tenant AND work = 'rules' AND state = 'complete')

-- name: unmarked
SELECT account_id FROM ingest.unmarked_accounts
WHERE tenant_id = :tenant ORDER BY account_id LIMIT :limit

-- name: open_leads
SELECT count(*) FROM ingest.leads WHERE tenant_id = :tenant AND state = 'open'

-- name: day
SELECT as_of FROM ingest.tenants WHERE tenant_id = :tenant

-- name: move_day
UPDATE ingest.tenants SET as_of = :as_of WHERE tenant_id = :tenant

-- name: day_version
SELECT day_version FROM ingest.tenants WHERE tenant_id = :tenant

-- name: set_day_version
UPDATE ingest.tenants SET day_version = :version WHERE tenant_id = :tenant

-- name: next_batch_no
UPDATE ingest.tenants SET last_batch_no = last_batch_no + 1
WHERE tenant_id = :tenant RETURNING last_batch_no

-- name: received
-- How many rows of a batch have come.
SELECT count(*) FROM ingest.record_versions WHERE tenant_id = :tenant AND batch_no = :batch_no

-- name: progress_version
SELECT progress_version FROM ingest.batches WHERE tenant_id = :tenant AND batch_no = :batch_no

-- name: next_work
-- The oldest unit of work that waits for us, not for its sender.
SELECT * FROM ingest.batches WHERE tenant_id = :tenant AND state IN ('complete', 'applied')
ORDER BY batch_no LIMIT 1

-- name: tenants_with_work
SELECT DISTINCT tenant_id FROM ingest.batches WHERE state IN ('complete', 'applied')

-- name: count_findings
SELECT count(*) FROM ingest.findings WHERE tenant_id = :tenant AND batch_no = :batch_no

-- name: first_findings
SELECT finding FROM ingest.findings WHERE tenant_id = :tenant AND batch_no = :batch_no
ORDER BY part, row_no, seq LIMIT :limit

-- name: finding_groups
-- The findings of a batch by what they say of which column, the commonest first.
SELECT grouped.count, first.finding AS first
FROM (SELECT count(*) AS count, min(ARRAY[part, row_no, seq]) AS place FROM ingest.findings
      WHERE tenant_id = :tenant AND batch_no = :batch_no
      GROUP BY finding ->> 'file', finding ->> 'sheet', finding ->> 'column',
               finding ->> 'reason', finding ->> 'outcome') AS grouped
JOIN ingest.findings first ON first.tenant_id = :tenant AND first.batch_no = :batch_no
     AND first.part = place[1] AND first.row_no = place[2] AND first.seq = place[3]
ORDER BY grouped.count DESC, place LIMIT 100

-- name: dated_rows
-- Used rows of a batch whose dates may contradict their status, or the day.
SELECT part, row_no, kind, source, content ->> 'support_status' AS status, service_end,
       CAST(content ->> 'updated' AS date) AS updated
FROM ingest.record_versions
WHERE tenant_id = :tenant AND batch_no = :batch_no AND outcome IN ('used', 'degraded')
  AND (kind = 'install_base' AND service_end IS NOT NULL
       OR kind = 'project' AND CAST(content ->> 'updated' AS date) > CAST(:as_of AS date))
ORDER BY part, row_no

-- name: forget_entries
DELETE FROM ingest.directory d
USING unnest(CAST(:subjects AS text[]), CAST(:names AS text[])) AS gone(subject, name)
WHERE d.tenant_id = :tenant AND d.subject = gone.subject AND d.name = gone.name

-- name: forget_memberships
DELETE FROM ingest.account_territories a
USING unnest(CAST(:territories AS text[]), CAST(:accounts AS text[])) AS gone(territory, account)
WHERE a.tenant_id = :tenant AND a.territory_id = gone.territory AND a.account_id = gone.account

-- name: account_facts
-- How large accounts are, and what of theirs may be shared: boxes, open leads, domains, postal codes.
SELECT a.account_id, count(*) FILTER (WHERE r.kind = 'install_base') AS boxes,
       (SELECT count(*) FROM ingest.leads l WHERE l.tenant_id = :tenant
          AND l.account_id = a.account_id AND l.state = 'open') AS leads,
       array_remove(array_agg(DISTINCT r.content ->> 'domain'), NULL) AS domains,
       array_remove(array_agg(DISTINCT r.content ->> 'postal_code'), NULL) AS postal_codes
FROM unnest(CAST(:accounts AS text[])) AS a(account_id)
LEFT JOIN ingest.records r ON r.tenant_id = :tenant AND r.account_id = a.account_id
     AND NOT r.removed AND NOT r.outranked
GROUP BY a.account_id ORDER BY a.account_id

-- name: spellings
-- Every spelling in the rows of an account, how many carry it, and since when it is known.
SELECT held.account_name AS spelling, held.rows, min(v.received_at) AS since
FROM (SELECT account_name, count(*) AS rows FROM ingest.records
      WHERE tenant_id = :tenant AND account_id = :account AND NOT removed AND account_name <> ''
      GROUP BY account_name) AS held
JOIN ingest.record_versions v ON v.tenant_id = :tenant AND v.account_name = held.account_name
GROUP BY held.account_name, held.rows ORDER BY held.rows DESC, held.account_name

-- name: territories_since
-- Since when territories are known.
SELECT territory_id, min(received_at) AS since FROM ingest.record_versions
WHERE tenant_id = :tenant AND territory_id = ANY(CAST(:territories AS text[]))
GROUP BY territory_id ORDER BY territory_id
