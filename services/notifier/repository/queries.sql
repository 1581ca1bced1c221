-- name: lease
-- Takes due deliveries for each tenant's targets, so many as wanted, the best by score first, and marks
-- them as sending.
WITH wanted AS MATERIALIZED (
  SELECT w.*, CASE WHEN w.per_account IS NOT NULL THEN ARRAY(
    SELECT b.account_id FROM notifier.deliveries b  -- accounts that had their alerts of the day
    WHERE b.tenant_id = w.tenant_id AND b.channel = w.channel AND b.target = w.target
      AND b.purpose = 'alert' AND b.begun_at > CAST(:now AS timestamptz) - interval '1 day'
      AND b.account_id IS NOT NULL
    GROUP BY b.account_id HAVING count(*) >= w.per_account) END AS full_accounts
  FROM unnest(CAST(:tenants AS text[]), CAST(:channels AS text[]), CAST(:targets AS text[]),
              CAST(:limits AS int[]), CAST(:alerts AS boolean[]), CAST(:per_account AS int[]),
              CAST(:keeps AS boolean[]))
    AS w(tenant_id, channel, target, most, alerts, per_account, keeps)
), picked AS MATERIALIZED (  -- picked once: joined, a sub-select that locks may run again
  SELECT due.tenant_id, due.delivery_id
  FROM wanted w CROSS JOIN LATERAL (
    SELECT c.tenant_id, c.delivery_id
    FROM notifier.deliveries c
    WHERE c.tenant_id = w.tenant_id AND c.channel = w.channel AND c.target = w.target
      AND c.state IN ('pending', 'retry') AND c.due_at <= :now
      AND (w.alerts IS NULL OR (c.purpose = 'alert' AND c.tries = 0) = w.alerts)
      AND c.purpose = ANY(CAST(:purposes AS text[]))
      AND (w.full_accounts IS NULL OR c.purpose <> 'alert' OR c.tries > 0 OR c.account_id IS NULL
           OR c.account_id <> ALL(w.full_accounts))
      AND (c.purpose NOT IN ('alert', 'update', 'call_task') OR NOT EXISTS (
        SELECT FROM notifier.standings s  -- held back by people, since it was made or is in retry
        WHERE s.tenant_id = c.tenant_id AND s.lead_id = c.lead_id
          AND (c.purpose = 'alert' AND s.do_not_contact_until > :now
               OR NOT w.keeps AND greatest(s.do_not_contact_until, s.snoozed_until) > :now)))
      AND (c.purpose NOT IN ('alert', 'update', 'withdrawal') OR NOT EXISTS (
        SELECT FROM notifier.deliveries e  -- what is told of one lead goes out in its order
        WHERE e.tenant_id = c.tenant_id AND e.lead_id = c.lead_id AND e.channel = c.channel
          AND e.target = c.target AND e.purpose IN ('alert', 'update', 'withdrawal')
          AND (e.episode, e.purpose, e.number) < (c.episode, c.purpose, c.number)
          AND e.state IN ('pending', 'retry', 'leased', 'sending')))
    ORDER BY c.score DESC NULLS FIRST, c.due_at
    LIMIT w.most
    FOR UPDATE OF c SKIP LOCKED
  ) AS due
)
UPDATE notifier.deliveries d
SET state = 'sending', lease_token = :token, leased_until = clock_timestamp() + :lasts,
    tries = d.tries + 1, begun_at = coalesce(d.begun_at, :now)
FROM picked
WHERE d.tenant_id = picked.tenant_id AND d.delivery_id = picked.delivery_id
RETURNING d.*, (
  SELECT a.receipt FROM notifier.deliveries a
  WHERE a.tenant_id = d.tenant_id AND a.lead_id = d.lead_id AND a.episode = d.episode
    AND a.purpose = 'alert' AND a.channel = d.channel AND a.target = d.target
    AND d.purpose IN ('update', 'withdrawal')
) AS thread

-- name: adopt
-- Takes over what a sender left behind while sending.
WITH picked AS MATERIALIZED (
  SELECT c.tenant_id, c.delivery_id
  FROM notifier.deliveries c
  WHERE c.tenant_id = ANY(CAST(:tenants AS text[])) AND c.state = 'sending'
    AND c.leased_until < now() AND c.delivery_id <> ALL(CAST(:mine AS text[]))
    AND c.purpose = ANY(CAST(:purposes AS text[]))
    AND (c.channel, c.target) IN (
      SELECT * FROM unnest(CAST(:channels AS text[]), CAST(:targets AS text[])))
  ORDER BY c.leased_until, c.delivery_id
  LIMIT :limit
  FOR UPDATE SKIP LOCKED
)
UPDATE notifier.deliveries d
SET lease_token = :token, leased_until = clock_timestamp() + :lasts, in_doubt = true
FROM picked
WHERE d.tenant_id = picked.tenant_id AND d.delivery_id = picked.delivery_id
RETURNING d.*, (
  SELECT a.receipt FROM notifier.deliveries a
  WHERE a.tenant_id = d.tenant_id AND a.lead_id = d.lead_id AND a.episode = d.episode
    AND a.purpose = 'alert' AND a.channel = d.channel AND a.target = d.target
    AND d.purpose IN ('update', 'withdrawal')
) AS thread

-- name: ended
-- Takes what was cancelled or folded and is to be told of.
WITH picked AS MATERIALIZED (
  SELECT c.tenant_id, c.delivery_id
  FROM notifier.deliveries c
  WHERE c.tenant_id = ANY(CAST(:tenants AS text[])) AND c.state IN ('cancelled', 'folded')
    AND NOT c.announced AND c.purpose = ANY(CAST(:purposes AS text[]))
  ORDER BY c.tenant_id, c.delivery_id
  LIMIT :limit
  FOR UPDATE SKIP LOCKED
)
UPDATE notifier.deliveries d
SET announced = true
FROM picked
WHERE d.tenant_id = picked.tenant_id AND d.delivery_id = picked.delivery_id
RETURNING d.*, NULL::jsonb AS thread

-- name: lock_leads
-- Holds the leads of deliveries, so that withdrawals come before or after what follows.
SELECT l.lead_id
FROM notifier.leads l
JOIN notifier.deliveries d ON d.tenant_id = l.tenant_id AND d.lead_id = l.lead_id
JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:tokens AS text[]))
  AS w(tenant_id, delivery_id, token)
  ON d.tenant_id = w.tenant_id AND d.delivery_id = w.delivery_id
ORDER BY l.tenant_id, l.lead_id
FOR SHARE OF l

-- name: record
-- Stores what became of sendings that are still in our hands.
UPDATE notifier.deliveries d
SET state = CASE WHEN x.obsolete THEN 'cancelled' ELSE x.state END,
    due_at = coalesce(x.due_at, d.due_at),
    failures = coalesce(x.failures, d.failures),
    in_doubt = x.in_doubt,
    receipt = coalesce(x.receipt, d.receipt),
    note = x.note,
    lease_token = NULL,
    settled_at = CASE WHEN x.state <> 'retry' OR x.obsolete THEN CAST(:now AS timestamptz) END
FROM (
  SELECT w.*, w.state = 'retry' AND EXISTS (
    SELECT FROM notifier.deliveries r
    LEFT JOIN notifier.leads l ON l.tenant_id = r.tenant_id AND l.lead_id = r.lead_id
    LEFT JOIN notifier.standings s ON s.tenant_id = r.tenant_id AND s.lead_id = r.lead_id
    LEFT JOIN notifier.enrolments e ON r.purpose = 'outreach' AND e.tenant_id = r.tenant_id
      AND e.lead_id = r.lead_id AND e.contact = r.content->>'to'
    WHERE r.tenant_id = w.tenant_id AND r.delivery_id = w.delivery_id
      AND (r.purpose IN ('alert', 'update') AND l.withdrawn_through >= r.episode
             AND (r.purpose = 'alert' OR l.withdrawn)
           OR r.purpose IN ('alert', 'call_task') AND s.state = ANY(CAST(:closed AS text[]))
           OR e.ended <> :through)
  ) AS obsolete
  FROM (
    SELECT u.tenant_id, u.delivery_id, u.token, u.state, u.due_at, u.failures, u.in_doubt,
           CAST(u.receipt AS jsonb) AS receipt, u.note
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:tokens AS text[]),
                CAST(:states AS text[]), CAST(:due AS timestamptz[]), CAST(:failures AS int[]),
                CAST(:doubts AS boolean[]), CAST(:receipts AS text[]), CAST(:notes AS text[]))
      AS u(tenant_id, delivery_id, token, state, due_at, failures, in_doubt, receipt, note)
  ) AS w
) AS x
WHERE d.tenant_id = x.tenant_id AND d.delivery_id = x.delivery_id AND d.lease_token = x.token
  AND d.state = 'sending'
RETURNING d.delivery_id, d.state

-- name: waiting_alerts
-- Alerts that wait for a target by themselves, the best first, and how many of their account went out in a day.
WITH begun AS (
  SELECT b.account_id, count(*) AS alerts FROM notifier.deliveries b
  WHERE CAST(:per_account AS boolean) AND b.tenant_id = :tenant AND b.channel = :channel
    AND b.target = :target AND b.purpose = 'alert'
    AND b.begun_at > CAST(:now AS timestamptz) - interval '1 day'
  GROUP BY b.account_id
)
SELECT c.lead_id, c.episode, c.account_id, c.score, c.created_at, c.delivery_id, c.office_id,
       coalesce(begun.alerts, 0) AS of_account
FROM notifier.deliveries c LEFT JOIN begun ON begun.account_id = c.account_id
WHERE c.tenant_id = :tenant AND c.channel = :channel AND c.target = :target
  AND c.purpose = 'alert' AND c.state = 'pending' AND c.due_at <= :now
ORDER BY c.score DESC, c.lead_id

-- name: ours_to_count
-- Tenants whose alerts nobody else counts until our transaction ends, so that limits hold for all together.
SELECT w.tenant_id FROM unnest(CAST(:tenants AS text[])) AS w(tenant_id)
WHERE pg_try_advisory_xact_lock(hashtextextended('onelead notifier alerts ' || w.tenant_id, 0))

-- name: tenants_with_work
-- Tenants with something due or left behind; jumps from tenant to tenant, however much waits.
WITH RECURSIVE waiting AS (
  (SELECT tenant_id FROM notifier.deliveries WHERE state IN ('pending', 'retry')
   ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.tenant_id FROM notifier.deliveries d
          WHERE d.state IN ('pending', 'retry') AND d.tenant_id > waiting.tenant_id
          ORDER BY d.tenant_id LIMIT 1)
  FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT tenant_id FROM waiting
WHERE EXISTS (SELECT FROM notifier.deliveries d WHERE d.tenant_id = waiting.tenant_id
                AND d.state IN ('pending', 'retry') AND d.due_at <= :now)
UNION ALL
SELECT tenant_id FROM notifier.deliveries
WHERE state IN ('leased', 'sending') AND leased_until < now()
UNION ALL
SELECT tenant_id FROM notifier.deliveries WHERE state IN ('cancelled', 'folded') AND NOT announced

-- name: free_expired
-- Puts back what was leased and not begun when the lease ran out.
UPDATE notifier.deliveries
SET state = CASE WHEN tries > 0 THEN 'retry' ELSE 'pending' END, lease_token = NULL
WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND state = 'leased' AND leased_until < now()

-- name: begun_in_hour
-- How many alerts went out by themselves in the last hour, by tenant and target.
SELECT d.tenant_id, d.channel, d.target, count(*) AS begun
FROM notifier.deliveries d
JOIN unnest(CAST(:channels AS text[]), CAST(:targets AS text[])) AS w(channel, target)
  ON d.channel = w.channel AND d.target = w.target
WHERE d.tenant_id = ANY(CAST(:tenants AS text[])) AND d.purpose = 'alert'
  AND d.begun_at > CAST(:now AS timestamptz) - interval '1 hour'
GROUP BY d.tenant_id, d.channel, d.target

-- name: fold
-- Alerts that a digest tells of; those begun or cancelled in the meantime are left out.
UPDATE notifier.deliveries d
SET state = 'folded', settled_at = :now, note = :note
FROM unnest(CAST(:ids AS text[])) AS w(delivery_id)
WHERE d.tenant_id = :tenant AND d.delivery_id = w.delivery_id AND d.state = 'pending'
RETURNING d.content

-- name: cut_off
-- Cancels what waits about leads for targets that may not hear of them.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = :note
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:channels AS text[]),
            CAST(:targets AS text[])) AS deaf(tenant_id, lead_id, channel, target)
WHERE d.tenant_id = deaf.tenant_id AND d.lead_id = deaf.lead_id AND d.channel = deaf.channel
  AND d.target = deaf.target AND d.purpose NOT IN ('withdrawal', 'outreach')
  AND d.state IN ('pending', 'retry', 'leased')

-- name: take_back
-- Cancels what waits to tell targets that leads are gone which they may hear of; in doubt: it may have arrived.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = :note
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:channels AS text[]),
            CAST(:targets AS text[])) AS hears(tenant_id, lead_id, channel, target)
WHERE d.tenant_id = hears.tenant_id AND d.lead_id = hears.lead_id AND d.channel = hears.channel
  AND d.target = hears.target AND d.purpose = 'withdrawal' AND d.content->>'reason' = :reason
  AND d.state IN ('pending', 'retry', 'leased')
RETURNING d.tenant_id, d.lead_id, d.channel, d.target, d.in_doubt

-- name: lead_offices
-- Whose leads are now, of those that hold.
SELECT l.tenant_id, l.lead_id, l.alert ->> 'office_id' AS office_id
FROM notifier.leads l
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS w(tenant_id, lead_id)
  ON l.tenant_id = w.tenant_id AND l.lead_id = w.lead_id
WHERE l.alert IS NOT NULL

-- name: call_off
-- Cancels what was leased a moment ago: this try was none.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = w.note, tries = d.tries - 1,
    begun_at = CASE WHEN d.tries > 1 THEN d.begun_at END
FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:notes AS text[]))
  AS w(tenant_id, delivery_id, note)
WHERE d.tenant_id = w.tenant_id AND d.delivery_id = w.delivery_id

-- name: stop_campaigns
-- Ends campaigns about leads, for one contact or for all; returns whom it ended for.
UPDATE notifier.enrolments e SET ended = w.reason, next_at = NULL
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:contacts AS text[]),
            CAST(:reasons AS text[])) AS w(tenant_id, lead_id, contact, reason)
WHERE e.tenant_id = w.tenant_id AND e.lead_id = w.lead_id AND e.ended IS NULL
  AND (w.contact IS NULL OR e.contact = w.contact)
RETURNING e.tenant_id, e.lead_id, e.contact, w.reason

-- name: cancel_mails
-- Cancels the mails of campaigns that ended and whose sending has not begun.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = w.reason
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:contacts AS text[]),
            CAST(:reasons AS text[])) AS w(tenant_id, lead_id, contact, reason)
WHERE d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.purpose = 'outreach'
  AND d.content->>'to' = w.contact AND d.state IN ('pending', 'retry', 'leased')

-- name: bounced
-- Contacts whose mail was refused for good.
SELECT DISTINCT e.tenant_id, e.contact
FROM notifier.enrolments e
JOIN notifier.deliveries d ON d.tenant_id = e.tenant_id AND d.lead_id = e.lead_id
JOIN notifier.attempts a
  ON a.tenant_id = d.tenant_id AND a.delivery_id = d.delivery_id AND a.number = d.tries
WHERE e.ended IS NULL AND d.purpose = 'outreach' AND d.state = 'dead' AND a.error = 'recipient'
  AND d.content->>'to' = e.contact AND d.created_at >= e.started_at

-- name: cancel
-- Cancels what is to be told of leads and whose sending has not begun.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = w.reason
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:through AS int[]),
            CAST(:reasons AS text[]), CAST(:alerts_only AS boolean[]))
  AS w(tenant_id, lead_id, through, reason, alerts_only)
WHERE d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.episode <= w.through
  AND (d.purpose = 'alert' OR NOT w.alerts_only AND d.purpose IN ('update', 'call_task'))
  AND d.state IN ('pending', 'retry', 'leased')

-- name: told
-- Where alerts of leads went or may have gone, with what the newest of each said.
SELECT DISTINCT ON (d.tenant_id, d.lead_id, d.channel, d.target)
       d.tenant_id, d.lead_id, d.episode, d.channel, d.target, d.content
FROM notifier.deliveries d
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS w(tenant_id, lead_id)
  ON d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id
WHERE d.purpose = 'alert' AND d.tries > 0
ORDER BY d.tenant_id, d.lead_id, d.channel, d.target, d.episode DESC

-- name: supersede
-- Cancels older updates that still wait where a newer one now stands.
UPDATE notifier.deliveries d
SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = 'superseded'
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:channels AS text[]),
            CAST(:targets AS text[])) AS w(tenant_id, lead_id, channel, target)
WHERE d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.channel = w.channel
  AND d.target = w.target AND d.purpose = 'update' AND d.state IN ('pending', 'retry')

-- name: alerts_not_begun
-- Locks the alerts of leads whose sending was not begun.
SELECT d.tenant_id, d.lead_id, d.episode, d.channel, d.target
FROM notifier.deliveries d
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS w(tenant_id, lead_id)
  ON d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id
WHERE d.purpose = 'alert' AND d.state = 'pending'
ORDER BY d.tenant_id, d.lead_id, d.episode, d.channel, d.target
FOR UPDATE

-- name: put_off
-- Sets from when on waiting alerts may go out.
UPDATE notifier.deliveries d SET due_at = w.due_at
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:episodes AS int[]),
            CAST(:channels AS text[]), CAST(:targets AS text[]),
            CAST(:due AS timestamptz[])) AS w(tenant_id, lead_id, episode, channel, target, due_at)
WHERE d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.episode = w.episode
  AND d.channel = w.channel AND d.target = w.target AND d.purpose = 'alert'

-- name: waiting
-- Deliveries without a final state by channel.
SELECT channel, count(*) AS waiting FROM notifier.deliveries
WHERE state IN ('pending', 'retry', 'leased', 'sending') GROUP BY channel
