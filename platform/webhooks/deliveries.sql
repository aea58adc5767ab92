-- name: list_deliveries
-- $1 app  $2 endpoint  $3 state or NULL  $4 type or NULL  $5 from event  $6 below event  $7 below event, of the page  $8 at most
-- $9 rows read at most: the last of them comes in any case.  Last: whether it is wanted, and which of those that were read it is.
select event_id, type, state, trigger, logged, due_at, ended_at, created_at, is_wanted, place
from (
  select r.*, ($3::text is null or state = $3) and ($4::text is null or type = $4) as is_wanted, row_number() over (order by event_id desc) as place
  from (
    select * from webhook_deliveries
    where app_id = $1 and endpoint_id = $2 and event_id >= $5 and event_id < $6 and event_id < $7
    order by event_id desc limit $9) r) n
where is_wanted or place = $9
order by event_id desc limit $8

-- name: list_ended
-- As list_deliveries; $3: failed or skipped.  An index of its own: few of many are so.
select event_id, type, state, trigger, logged, due_at, ended_at, created_at, is_wanted, place
from (
  select r.*, state = $3 and ($4::text is null or type = $4) as is_wanted, row_number() over (order by event_id desc) as place
  from (
    select * from webhook_deliveries
    where app_id = $1 and endpoint_id = $2 and state in ('failed', 'skipped') and event_id >= $5 and event_id < $6 and event_id < $7
    order by event_id desc limit $9) r) n
where is_wanted or place = $9
order by event_id desc limit $8

-- name: get_delivery
-- $1 app  $2 endpoint  $3 event
select event_id, type, state, trigger, logged, due_at, ended_at, created_at from webhook_deliveries
where app_id = $1 and endpoint_id = $2 and event_id = $3

-- name: list_attempts
-- $1 app  $2 endpoint  $3 event
select endpoint_id, event_id, attempt, trigger, type, outcome, status, duration_us, response_headers::text, response_body, is_cut, started_at, next_at
from webhook_logs where app_id = $1 and endpoint_id = $2 and event_id = $3 order by attempt desc limit 100

-- name: list_logs
-- $1 app  $2 endpoint or NULL  $3 type or NULL  $4 outcome or NULL: all  $5 since  $6 until
-- $7 - $10 the last one of the page before, or $6 and nothing: its time, endpoint, event, attempt  $11 at most  $12 and the last: as list_deliveries
select endpoint_id, event_id, attempt, trigger, type, outcome, status, duration_us, response_headers::text, response_body, is_cut, started_at, next_at,
  is_wanted, place
from (
  select r.*, ($2::uuid is null or endpoint_id = $2) and ($3::text is null or type = $3) and ($4::text is null or outcome = $4) as is_wanted,
    row_number() over (order by started_at desc, endpoint_id desc, event_id desc, attempt desc) as place
  from (
    select * from webhook_logs
    where app_id = $1 and started_at >= $5 and started_at < $6
      and (started_at, endpoint_id, event_id, attempt) < ($7, $8, $9, $10)
    order by started_at desc, endpoint_id desc, event_id desc, attempt desc limit $12) r) n
where is_wanted or place = $12
order by started_at desc, endpoint_id desc, event_id desc, attempt desc limit $11

-- name: list_failed_logs
-- As list_logs; $4: failed, which is every other outcome than succeeded, or one of those.  An index of its own.
select endpoint_id, event_id, attempt, trigger, type, outcome, status, duration_us, response_headers::text, response_body, is_cut, started_at, next_at,
  is_wanted, place
from (
  select r.*, ($2::uuid is null or endpoint_id = $2) and ($3::text is null or type = $3) and ($4 = 'failed' or outcome = $4) as is_wanted,
    row_number() over (order by started_at desc, endpoint_id desc, event_id desc, attempt desc) as place
  from (
    select * from webhook_logs
    where app_id = $1 and outcome <> 'succeeded' and started_at >= $5 and started_at < $6
      and (started_at, endpoint_id, event_id, attempt) < ($7, $8, $9, $10)
    order by started_at desc, endpoint_id desc, event_id desc, attempt desc limit $12) r) n
where is_wanted or place = $12
order by started_at desc, endpoint_id desc, event_id desc, attempt desc limit $11

-- name: replay_delivery
-- $1 app  $2 endpoint  $3 event  $4 now.  No row is touched: no such, it is pending, or its body is erased. A test stays one.
update webhook_deliveries set state = 'pending', trigger = case when trigger = 'test' then 'test' else 'replay' end, attempts = 0, due_at = $4, ended_at = null
where app_id = $1 and endpoint_id = $2 and event_id = $3 and state <> 'pending'
  and (body is not null or message_id is not null or seq is not null)

-- name: replay_ended
-- $1 app  $2 endpoint  $3 failed or skipped  $4 behind event  $5 below event  $6 now  $7 at most.  One row: how many, and the last of them or NULL.
-- An index of its own: few of many are so. No join: it would be planned by what was known before there were as many.
with taken as materialized (
  select event_id, ctid as place from webhook_deliveries
  where app_id = $1 and endpoint_id = $2 and state in ('failed', 'skipped') and state = $3 and trigger <> 'test' and event_id > $4 and event_id < $5
    and (body is not null or message_id is not null or seq is not null)
  order by event_id limit $7 for update skip locked),
done as (
  update webhook_deliveries set state = 'pending', trigger = 'replay', attempts = 0, due_at = $6, ended_at = null
  where app_id = $1 and ctid = any (array(select place from taken)))
select count(*), (array_agg(event_id order by event_id desc))[1] from taken

-- name: replay_all
-- As replay_ended, of every one that has ended; $3: NULL.
with taken as materialized (
  select event_id, ctid as place from webhook_deliveries
  where app_id = $1 and endpoint_id = $2 and state <> 'pending' and $3::text is null and trigger <> 'test' and event_id > $4 and event_id < $5
    and (body is not null or message_id is not null or seq is not null)
  order by event_id limit $7 for update skip locked),
done as (
  update webhook_deliveries set state = 'pending', trigger = 'replay', attempts = 0, due_at = $6, ended_at = null
  where app_id = $1 and ctid = any (array(select place from taken)))
select count(*), (array_agg(event_id order by event_id desc))[1] from taken

-- name: insert_test
-- $1 app  $2 endpoint  $3 event  $4 type  $5 frame  $6 now
insert into webhook_deliveries (app_id, endpoint_id, event_id, type, body, ordered, state, trigger, due_at, created_at)
values ($1, $2, $3, $4, $5, false, 'pending', 'test', $6, $6)

-- name: sweep_webhooks
-- $1 rows at most  $2 $3 behind this application's endpoint  $4 endpoints at most.  In the nil application's transaction.
select swept, last_app, last_endpoint from sweep_webhooks($1, $2, $3, $4)
