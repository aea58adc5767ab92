-- name: lock_starts
-- $1 app.  An application's tasks begin one by one, so that they can be counted.
select pg_advisory_xact_lock(hashtextextended($1::text, 6))

-- name: count_unfinished
-- $1 app
select count(*) from tasks where app_id = $1 and status in ('waiting', 'running')

-- name: insert_task
-- $1 app  $2 id  $3 type  $4 owner's user_id, '' or /operator  $5 input  $6 now
insert into tasks (app_id, id, type, owner, input, created_at, updated_at) values ($1, $2, $3, $4, $5::jsonb, $6, $6)

-- name: get_task
-- $1 app  $2 id  $3 who asks: '' a server, else a user_id or /operator.  No row: no such task, or another's; an operator's is no server's.
select id, type, status, items, parts, error, created_at, updated_at, finished_at, expires_at
from tasks where app_id = $1 and id = $2 and (owner = $3 or ($3 = '' and owner <> '/operator'))

-- name: get_part
-- $1 app  $2 id  $3 part
select body from task_parts where app_id = $1 and task_id = $2 and part = $3

-- name: claim_task
-- $1 types[]  $2 token  $3 seconds of lease.  No row: nothing waits. In the nil application's transaction.
select app_id, id, type, attempts from claim_task($1::text[], $2, $3)

-- name: lock_slice
-- $1 app  $2 id  $3 token.  No row: taken over by another worker, or gone.
select input::text, coalesce(state, ''), parts from tasks
where app_id = $1 and id = $2 and status = 'running' and worker = $3 for update

-- name: fill_part
-- $1 app  $2 id  $3 the last part  $4 body  $5 bytes that a part should not exceed.  No row is touched: it is full, or there is none.
update task_parts set body = body || $4 where app_id = $1 and task_id = $2 and part = $3 and octet_length(body) + octet_length($4) <= $5

-- name: insert_parts
-- $1 app  $2 id  $3 numbers[]  $4 bodies[]
insert into task_parts (app_id, task_id, part, body)
select $1, $2, p.part, p.body from unnest($3::bigint[], $4::text[]) as p (part, body)

-- name: keep_slice
-- $1 app  $2 id  $3 state  $4 items more  $5 parts more  $6 now  $7 seconds of lease
update tasks set state = $3, items = items + $4, parts = parts + $5, attempts = 0, updated_at = $6,
  lease_until = now() + make_interval(secs => $7)
where app_id = $1 and id = $2

-- name: end_task
-- $1 app  $2 id  $3 token  $4 done or failed  $5 error or NULL  $6 now  $7 seconds that it is kept
update tasks set status = $4, error = $5, finished_at = $6, updated_at = $6, expires_at = $6::timestamptz + make_interval(secs => $7),
  worker = null, lease_until = null, state = null
where app_id = $1 and id = $2 and worker = $3

-- name: yield_task
-- $1 app  $2 id  $3 token  $4 seconds until it may be taken again
update tasks set status = 'waiting', worker = null, updated_at = now(), lease_until = now() + make_interval(secs => $4)
where app_id = $1 and id = $2 and worker = $3

-- name: sweep_tasks
-- $1 at most
select sweep_tasks($1)
