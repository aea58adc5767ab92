-- name: lock_push_application
-- $1 app.  One change of its providers at a time.
select 1 from applications where app_id = $1 for update

-- name: find_push_provider
-- $1 app  $2 provider  $3 name.  No row: none.
select sealed, updated_at from push_providers where app_id = $1 and provider = $2 and name = $3

-- name: count_push_providers
-- $1 app
select count(*) from push_providers where app_id = $1

-- name: save_push_provider
-- $1 app  $2 provider  $3 name  $4 sealed, hex  $5 shown  $6 now
insert into push_providers (app_id, provider, name, sealed, shown, created_at, updated_at)
values ($1, $2, $3, decode($4, 'hex'), $5::jsonb, $6, $6)
on conflict (app_id, provider, name) do update set sealed = excluded.sealed, shown = excluded.shown, updated_at = excluded.updated_at

-- name: list_push_providers
-- $1 app  $2 provider  $3 name, both NULL: all
select provider, name, shown::text, created_at, updated_at from push_providers
where app_id = $1 and ($2::text is null or provider = $2 and name = $3) order by provider, name

-- name: delete_push_provider
-- $1 app  $2 provider  $3 name
delete from push_providers where app_id = $1 and provider = $2 and name = $3

-- name: note_pushes
-- $1 app.  Whether sends are queued for notifications.  Row: it changed.
update applications a set pushes = not a.pushes
where a.app_id = $1 and a.pushes <> exists (select from push_providers p where p.app_id = $1)
returning 1
