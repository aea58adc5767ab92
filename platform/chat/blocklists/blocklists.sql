-- name: hold_block_lists
-- $1 app.  Whoever changes lists at once waits here, so that limits hold; every change is a new version.
insert into block_list_versions (app_id, version) values ($1, 1)
on conflict (app_id) do update set version = block_list_versions.version + 1
returning version

-- name: insert_block_list
-- $1 app  $2 id  $3 name  $4 kind  $5 allows  $6 description  $7 folding  $8 behaviour  $9 server calls  $10 profiles  $11 version  $12 now
insert into block_lists (app_id, list_id, name, kind, allows, description, folding, behaviour, server_calls, profiles, entry_count, version,
  created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, 0, $11, $12, $12)

-- name: update_block_list
-- $1 app  $2 id  $3 allows  $4 description  $5 folding  $6 behaviour  $7 server calls  $8 profiles  $9 version  $10 now
update block_lists set allows = $3, description = $4, folding = $5::jsonb, behaviour = $6, server_calls = $7, profiles = $8, version = $9, updated_at = $10
where app_id = $1 and list_id = $2

-- name: delete_block_list
-- $1 app  $2 id
delete from block_lists where app_id = $1 and list_id = $2

-- name: find_block_list
-- $1 app  $2 name.  No row: none.
select list_id, name, kind, allows, description, folding::text, behaviour, server_calls, profiles, entry_count, version, mistake::text, created_at, updated_at
from block_lists where app_id = $1 and name = $2

-- name: list_block_lists
-- $1 app
select list_id, name, kind, allows, description, folding::text, behaviour, server_calls, profiles, entry_count, version, mistake::text, created_at, updated_at
from block_lists where app_id = $1 order by name limit 200

-- name: list_shared_block_lists
-- The operator's.
select list_id, name, kind, allows, description, folding::text, behaviour, server_calls, profiles, entry_count, version, mistake::text, created_at, updated_at
from shared_block_lists()

-- name: count_entries
-- $1 app.  Of all its lists.
select coalesce(sum(entry_count), 0) from block_lists where app_id = $1

-- name: list_regexes
-- $1 app  $2 at most.  Of all its lists.
select e.entry from block_lists l join block_list_entries e on e.app_id = l.app_id and e.list_id = l.list_id
where l.app_id = $1 and l.kind = 'regex' limit $2

-- name: find_moderator
-- $1 app  $2 user_id.  No row: no moderator of the application.
select 1 from users where app_id = $1 and user_id = $2 and role in ('moderator', 'admin') and deactivated_at is null and deleted_at is null

-- name: add_entries
-- $1 app  $2 list  $3 entries  $4 ends, '' or a time each  $5 now.  Rows: those that are new.
with given as (
  select entry, nullif(ends, '')::timestamptz as ends from unnest($3::text[], $4::text[]) t (entry, ends)
), put as (
  insert into block_list_entries (app_id, list_id, entry, expires_at, created_at) select $1, $2, entry, ends, $5 from given
  on conflict (app_id, list_id, entry) do update set expires_at = excluded.expires_at
    where block_list_entries.expires_at is distinct from excluded.expires_at
  returning xmax = 0 as fresh
)
select count(*) filter (where fresh), count(*) from put

-- name: remove_entries
-- $1 app  $2 list  $3 entries
delete from block_list_entries where app_id = $1 and list_id = $2 and entry = any ($3::text[])

-- name: clear_entries
-- $1 app  $2 list
delete from block_list_entries where app_id = $1 and list_id = $2

-- name: note_entries
-- $1 app  $2 list  $3 how many more  $4 version  $5 now
update block_lists set entry_count = entry_count + $3, version = $4, updated_at = $5 where app_id = $1 and list_id = $2

-- name: list_entries
-- $1 app  $2 list  $3 after  $4 how they begin  $5 at most
select entry, expires_at, created_at from block_list_entries
where app_id = $1 and list_id = $2 and ($3::text is null or entry > $3) and starts_with(entry, $4) order by entry limit $5

-- name: load_entries
-- $1 app  $2 list
select entry, expires_at from block_list_entries where app_id = $1 and list_id = $2 order by entry

-- name: keep_mistake
-- $1 app  $2 list  $3 version  $4 what is wrong, or null.  No row: the list has changed, or it is known.
update block_lists set mistake = $4::jsonb where app_id = $1 and list_id = $2 and version = $3 and mistake is distinct from $4::jsonb

-- name: block_list_version
-- $1 app.  No row: it never had lists.
select version from block_list_versions where app_id = $1

-- name: block_list_versions_of
-- $1 apps, as many as the caller holds
select app_id, version from block_list_versions_of($1::uuid[])

-- name: put_use
-- $1 app  $2 list  $3 scope  $4 behaviour  $5 server calls  $6 now.  Whether it is new.
insert into block_list_uses (app_id, list, scope, behaviour, server_calls, created_at) values ($1, $2, $3, $4, $5, $6)
on conflict (app_id, list, scope) do update set behaviour = $4, server_calls = $5
returning xmax = 0

-- name: delete_use
-- $1 app  $2 list  $3 scope
delete from block_list_uses where app_id = $1 and list = $2 and scope = $3

-- name: delete_uses
-- $1 app  $2 list
delete from block_list_uses where app_id = $1 and list = $2

-- name: count_uses
-- $1 app
select count(*) from block_list_uses where app_id = $1

-- name: list_uses
-- $1 app  $2 list, null: all
select list, scope, behaviour, server_calls, created_at from block_list_uses where app_id = $1 and ($2::text is null or list = $2)
order by list, scope limit 1000

-- name: list_type_uses
-- $1 app.  What channel types name in their settings.
select t.type, n.name from channel_types t, jsonb_array_elements_text(t.settings -> 'block_lists') n (name)
where t.app_id = $1 and jsonb_typeof(t.settings -> 'block_lists') = 'array' limit 2000

-- name: channel_exists
-- $1 app  $2 type  $3 id
select 1 from channels where app_id = $1 and type = $2 and channel_id = $3 and deleted_at is null

-- name: channel_type_exists
-- $1 app  $2 type
select 1 from channel_types where app_id = $1 and type = $2
