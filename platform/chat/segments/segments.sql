-- name: hold_segments
-- $1 app.  Segments of one application are made one by one, so that the limit holds.
select pg_advisory_xact_lock(hashtextextended($1::text, 9))

-- name: count_segments
-- $1 app
select count(*) from segments where app_id = $1

-- name: insert_segment
-- $1 app  $2 id  $3 name  $4 of  $5 filter or NULL  $6 description or NULL  $7 now.  No row: the name is taken.
insert into segments (app_id, id, name, of, filter, description, created_at, updated_at) values ($1, $2, $3, $4, $5::jsonb, $6, $7, $7)
on conflict (app_id, name) do nothing returning id

-- name: get_segment
-- $1 app  $2 id
select id, name, of, filter::text, description, created_at, updated_at from segments where app_id = $1 and id = $2

-- name: lock_segment
-- $1 app  $2 id
select id, name, of, filter::text, description, created_at, updated_at from segments where app_id = $1 and id = $2 for update

-- name: list_segments
-- $1 app  $2 at most  $3 before (id), or NULL
select id, name, of, filter::text, description, created_at, updated_at from segments
where app_id = $1 and ($3::uuid is null or id < $3) order by id desc limit $2

-- name: is_segment_named
-- $1 app  $2 id  $3 name.  A row: another one is called so.
select 1 from segments where app_id = $1 and name = $3 and id <> $2

-- name: update_segment
-- $1 app  $2 id  $3 name  $4 filter  $5 description; NULL keeps  $6 without a description  $7 now
update segments set name = coalesce($3, name), filter = coalesce($4::jsonb, filter),
  description = case when $6 then null else coalesce($5, description) end, updated_at = $7
where app_id = $1 and id = $2

-- name: is_segment_used
-- $1 app  $2 segment.  A row: a campaign that is not over writes to it.
select 1 from campaigns where app_id = $1 and segments @> array[$2::uuid] and status in ('draft', 'scheduled', 'sending', 'paused') limit 1

-- name: delete_segment_targets
-- $1 app  $2 segment
delete from segment_targets where app_id = $1 and segment_id = $2

-- name: delete_segment
-- $1 app  $2 segment
delete from segments where app_id = $1 and id = $2

-- name: find_user_targets
-- $1 app  $2 user_ids[].  Those who are there.
select u.id, u.user_id from users u where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null

-- name: find_channel_targets
-- $1 app  $2 cids[].  Those that are there.
select c.id, c.type || ':' || c.channel_id from unnest($2::text[]) as w (cid)
join channels c on c.app_id = $1 and c.type = split_part(w.cid, ':', 1) and c.channel_id = substr(w.cid, strpos(w.cid, ':') + 1) and c.deleted_at is null

-- name: insert_targets
-- $1 app  $2 segment  $3 targets[]  $4 whether they are channels  $5 now.  Rows: those that are new.
insert into segment_targets (app_id, segment_id, target_id, user_id, channel_id, created_at)
select $1, $2, t.id, case when not $4::boolean then t.id end, case when $4 then t.id end, $5 from unnest($3::uuid[]) as t (id)
on conflict do nothing returning 1

-- name: remove_targets
-- $1 app  $2 segment  $3 targets[]
delete from segment_targets where app_id = $1 and segment_id = $2 and target_id = any ($3::uuid[])

-- name: count_targets
-- $1 app  $2 segment
select count(*) from segment_targets where app_id = $1 and segment_id = $2

-- name: listed_users
-- $1 app  $2 segment  $3 after.  `limit 1`: each is looked up by its key, whatever the planner knows of a list that was just filled.
select t.target_id, u.user_id
from segment_targets t cross join lateral (
  select u.user_id from users u where u.app_id = t.app_id and u.id = t.target_id and u.deleted_at is null limit 1) u
where t.app_id = $1 and t.segment_id = $2 and t.target_id > $3

-- name: listed_channels
-- $1 app  $2 segment  $3 after.  As listed_users.
select t.target_id, s.type || ':' || s.channel_id
from segment_targets t cross join lateral (
  select s.type, s.channel_id from channels s where s.app_id = t.app_id and s.id = t.target_id and s.deleted_at is null limit 1) s
where t.app_id = $1 and t.segment_id = $2 and t.target_id > $3

-- name: filtered_users
-- $1 app  $2 segment  $3 after.  A filter goes on from here.
select u.id, u.user_id
from users u
where u.app_id = $1 and $2::uuid is not null and u.id > $3 and u.deleted_at is null

-- name: filtered_channels
-- $1 app  $2 segment  $3 after.  A filter goes on from here.
select s.id, s.type || ':' || s.channel_id
from channels_shown s
where s.app_id = $1 and $2::uuid is not null and s.id > $3

-- name: export_segments
-- $1 app  $2 user  $3 after  $4 at most
select s.id, jsonb_build_object('segment', s.name, 'created_at', wire_time(t.created_at))
from segment_targets t join segments s on s.app_id = t.app_id and s.id = t.segment_id
where t.app_id = $1 and t.user_id = $2 and ($3 = '' or s.id > nullif($3, '')::uuid) order by s.id limit $4
