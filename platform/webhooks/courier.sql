-- name: fan_out
-- $1 of an application at most  $2 in all  $3 behind this application
select total, last_app from fan_out_webhooks($1, $2, $3)

-- name: claim
-- $1 worker  $2 due until  $3 lease until  $4 $5 behind this application's endpoint  $6 how many more calls those get that are known, by id
-- $7 of other endpoints at most  $8 of other applications  $9 events in all  $10 endpoints looked at.  A last row without an event: where it stopped.
select app_id, endpoint_id, event_id, type, channel_id, seq, message_id, user_id, body, created_at, attempts, trigger
from claim_webhooks($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)

-- name: renew
-- $1 worker  $2 lease until  $3 apps[]  $4 endpoints[]  $5 events[]
select renew_webhooks($1, $2, $3::uuid[], $4::uuid[], $5::uuid[])

-- name: end_claims
-- $1 worker  $2 now  $3 apps[]  $4 endpoints[]  $5 events[]  $6 states[]  $7 agains[]  $8 is a try[]  $9 outcomes[]  $10 statuses[]
-- $11 durations[]  $12 started[]  $13 headers[]  $14 bodies[]  $15 cut[]
select end_webhooks($1, $2, $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::boolean[], $9::text[], $10::integer[],
                    $11::bigint[], $12::timestamptz[], $13::text[], $14::text[], $15::boolean[])

-- name: note_endpoints
-- $1 now  $2 apps[]  $3 endpoints[]  $4 succeeded[]  $5 failed[]  $6 gone[]
select app_id, endpoint_id, state, reason, warned, failing_since
from note_webhook_endpoints($1, $2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::boolean[])
