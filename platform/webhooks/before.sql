-- name: find_before_hook
-- $1 app.  No row: none.
select url, timeout_ms, on_failure, channel_types::text, sealed, created_at, updated_at from before_hooks where app_id = $1

-- name: save_before_hook
-- $1 app  $2 url  $3 timeout  $4 on failure  $5 channel types[]  $6 sealed, hex  $7 now
insert into before_hooks (app_id, url, timeout_ms, on_failure, channel_types, sealed, created_at, updated_at)
values ($1, $2, $3, $4, $5::text[], decode($6, 'hex'), $7, $7)
on conflict (app_id) do update set url = excluded.url, timeout_ms = excluded.timeout_ms, on_failure = excluded.on_failure,
  channel_types = excluded.channel_types, sealed = excluded.sealed, updated_at = excluded.updated_at

-- name: delete_before_hook
-- $1 app
delete from before_hooks where app_id = $1
