-- name: insert_channel_type
-- $1 app  $2 type  $3 settings  $4 now.  No row: it exists.
insert into channel_types (app_id, type, settings, created_at, updated_at) values ($1, $2, $3::jsonb, $4, $4)
on conflict do nothing returning type

-- name: get_channel_type
-- $1 app  $2 type.  No row: no such type.
select type, settings::text, created_at, updated_at from channel_types where app_id = $1 and type = $2

-- name: lock_channel_type
-- $1 app  $2 type.  No row: no such type.
select type from channel_types where app_id = $1 and type = $2 for update

-- name: list_channel_types
-- $1 app
select type, settings::text, created_at, updated_at from channel_types where app_id = $1 order by type limit 101

-- name: update_channel_type
-- $1 app  $2 type  $3 settings  $4 now
update channel_types set settings = $3::jsonb, updated_at = $4 where app_id = $1 and type = $2

-- name: forget_purged_channels
-- $1 app  $2 type.  Deleted channels whose rows are gone: nothing refers to them any more.
delete from channels where app_id = $1 and type = $2 and purged_at is not null

-- name: type_in_use
-- $1 app  $2 type.  A row: a channel has it, perhaps a deleted one that is not purged yet.
select 1 from channels where app_id = $1 and type = $2 limit 1

-- name: delete_channel_type
-- $1 app  $2 type
delete from channel_types where app_id = $1 and type = $2
