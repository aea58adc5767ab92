-- name: lock_commands
-- $1 app.  Whoever puts at once waits here, so that the limit holds.
select pg_advisory_xact_lock(hashtextextended($1::text, 6))

-- name: count_other_commands
-- $1 app  $2 name
select count(*) from commands where app_id = $1 and name <> $2

-- name: put_command
-- $1 app  $2 name  $3 description  $4 args  $5 visible  $6 now.  Whether it is new.
insert into commands (app_id, name, description, args, visible, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
on conflict (app_id, name) do update set description = $3, args = $4, visible = $5, updated_at = $6
returning name, description, args, visible, created_at, updated_at, xmax = 0

-- name: delete_command
-- $1 app  $2 name
delete from commands where app_id = $1 and name = $2

-- name: list_commands
-- $1 app
select name, description, args, visible, created_at, updated_at from commands where app_id = $1 order by name limit 100

-- name: find_command
-- $1 app  $2 channel type  $3 name.  No row: not known there.
select c.name, c.description, c.args, c.visible, c.created_at, c.updated_at from commands c
join channel_types t on t.app_id = $1 and t.type = $2
where c.app_id = $1 and c.name = $3 and t.settings -> 'commands' ? $3
