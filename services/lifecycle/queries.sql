-- name: accounts_of_leads
-- The accounts that leads belong to now.
SELECT DISTINCT l.tenant_id, l.account_id
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
JOIN lifecycle.leads l USING (tenant_id, lead_id)

-- name: leads_of_accounts
-- All leads of these accounts, withdrawn ones too.
SELECT l.tenant_id, l.lead_id
FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[])) AS wanted(tenant_id, account_id)
JOIN lifecycle.leads l USING (tenant_id, account_id)

-- name: lock_accounts
-- In a statement of its own: the next one then sees what was committed while this one waited.
SELECT FROM lifecycle.accounts
JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[])) AS wanted(tenant_id, account_id)
     USING (tenant_id, account_id)
ORDER BY tenant_id, account_id FOR UPDATE OF accounts

-- name: accounts
-- The do-not-contact of these accounts.
SELECT a.tenant_id, a.account_id, a.do_not_contact_until, a.office_id
FROM lifecycle.accounts a
JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS text[])) AS wanted(tenant_id, account_id)
     USING (tenant_id, account_id)

-- name: lock_leads
-- In a statement of its own, as lock_accounts; a lead's status is what everybody locks.
SELECT FROM lifecycle.statuses
JOIN unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
     USING (tenant_id, lead_id)
ORDER BY tenant_id, lead_id FOR UPDATE OF statuses

-- name: leads
-- Leads with how they stand.
SELECT l.*, s.version AS told_version, s.state, s.owner, s.snoozed_until, s.follow_up_at,
       s.follow_up_note, s.follow_up_due, s.do_not_contact_until, s.withdrawn, s.touched_at
FROM unnest(CAST(:tenants AS text[]), CAST(:leads AS text[])) AS wanted(tenant_id, lead_id)
JOIN lifecycle.leads l USING (tenant_id, lead_id)
JOIN lifecycle.statuses s USING (tenant_id, lead_id)

-- name: tenants_with_due
-- Tenants with a flag that falls due by now; asked with the tick's role.
SELECT DISTINCT tenant_id FROM lifecycle.statuses WHERE next_due <= :now ORDER BY tenant_id

-- name: lock_due
-- Leads of a tenant with a flag that falls due by now. What another process holds is its work.
SELECT lead_id FROM lifecycle.statuses
WHERE tenant_id = :tenant AND next_due <= :now
ORDER BY lead_id LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: answers
-- The answers to commands that were decided before.
SELECT c.tenant_id, c.command_id, c.answer_type, c.answer
FROM lifecycle.commands c
JOIN unnest(CAST(:tenants AS text[]), CAST(:commands AS text[])) AS wanted(tenant_id, command_id)
     USING (tenant_id, command_id)
