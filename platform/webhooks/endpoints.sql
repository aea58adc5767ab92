-- name: lock_webhook_application
-- $1 app.  One change of its endpoints at a time.
select 1 from applications where app_id = $1 for no key update

-- name: count_endpoints
-- $1 app
select count(*) from webhook_endpoints where app_id = $1 and state <> 'deleted'

-- name: insert_endpoint
-- $1 app  $2 id  $3 url  $4 description  $5 events[]  $6 channel types[]  $7 headers, sealed, hex  $8 timeout  $9 a second at most
-- $10 in flight at most  $11 ordered  $12 schedule[]  $13 batch  $14 its wait  $15 signature  $16 now
insert into webhook_endpoints (app_id, id, url, description, events, channel_types, headers, timeout_ms, max_per_second, max_in_flight, ordered,
                               schedule, batch_max, batch_wait_ms, signature, state, created_at, updated_at)
values ($1, $2, $3, $4, $5::text[], $6::text[], decode($7, 'hex'), $8, $9, $10, $11, $12::integer[], $13, $14, $15, 'active', $16, $16)

-- name: update_endpoint
-- $1 app  $2 id  $3 - $14 as insert_endpoint  $15 now
update webhook_endpoints set url = $3, description = $4, events = $5::text[], channel_types = $6::text[], headers = decode($7, 'hex'),
  timeout_ms = $8, max_per_second = $9, max_in_flight = $10, ordered = $11, schedule = $12::integer[],
  batch_max = $13, batch_wait_ms = $14, updated_at = $15
where app_id = $1 and id = $2 and state <> 'deleted'

-- name: set_endpoint_state
-- $1 app  $2 id  $3 state  $4 reason or NULL  $5 now.  No row is touched: no such endpoint, or it is so already.
update webhook_endpoints set state = $3, state_reason = $4, updated_at = $5, failures = 0, failing_since = null, warned = 0, closed_until = null
where app_id = $1 and id = $2 and state <> 'deleted' and state <> $3

-- name: set_endpoint_signature
-- $1 app  $2 id  $3 signature  $4 now
update webhook_endpoints set signature = $3, updated_at = $4 where app_id = $1 and id = $2

-- name: list_endpoints
-- $1 app  $2 id or NULL: all
select id, url, description, events::text, channel_types::text, headers, timeout_ms, max_per_second, max_in_flight, ordered, schedule::text,
  signature, state, state_reason, failures, failing_since, succeeded_at, closed_until, created_at, updated_at, batch_max, batch_wait_ms
from webhook_endpoints where app_id = $1 and state <> 'deleted' and ($2::uuid is null or id = $2) order by id

-- name: insert_key
-- $1 app  $2 endpoint  $3 id  $4 sealed, hex  $5 now
insert into webhook_secrets (app_id, endpoint_id, id, sealed, created_at) values ($1, $2, $3, decode($4, 'hex'), $5)

-- name: expire_keys
-- $1 app  $2 endpoint  $3 until.  Those that sign longer.
update webhook_secrets set expires_at = $3 where app_id = $1 and endpoint_id = $2 and (expires_at is null or expires_at > $3)

-- name: list_keys
-- $1 app  $2 endpoints[]  $3 now.  Those that sign, the newest first.
select endpoint_id, id, sealed, created_at, expires_at from webhook_secrets
where app_id = $1 and endpoint_id = any ($2::uuid[]) and (expires_at is null or expires_at > $3)
order by endpoint_id, created_at desc, id desc

-- name: load_wires
-- $1 app  $2 endpoints[]
select id, url, headers, timeout_ms, max_per_second, max_in_flight, schedule::text, batch_max from webhook_endpoints
where app_id = $1 and id = any ($2::uuid[]) and state = 'active'

-- name: note_subscriptions
-- $1 app.  What its endpoints want, together, and whether it is asked before messages are sent.  Row: it changed.
update applications a set webhooks = s.patterns
from (select coalesce(array_agg(distinct w.wanted order by w.wanted), '{}') as patterns
      from (select unnest(p.events) as wanted from webhook_endpoints p where p.app_id = $1 and p.state <> 'deleted'
            union all select 'before_message_send' from before_hooks h where h.app_id = $1) w) s
where a.app_id = $1 and a.webhooks <> s.patterns
returning 1
