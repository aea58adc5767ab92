-- A draft in the channel itself has the nil UUID as its parent.

-- name: lock_drafter
-- $1 app  $2 user.  Whoever saves at once for one user waits here, so that the limit holds.
select 1 from users where app_id = $1 and id = $2 for no key update

-- name: find_draft
-- $1 app  $2 user  $3 channel  $4 parent.  No row: none.
select c.type || ':' || c.channel_id, d.channel_id, nullif(d.parent_id, '00000000-0000-0000-0000-000000000000'), d.message::text,
  d.created_at, d.updated_at
from message_drafts d join channels c on c.app_id = d.app_id and c.id = d.channel_id
where d.app_id = $1 and d.user_id = $2 and d.channel_id = $3 and d.parent_id = $4

-- name: count_drafts
-- $1 app  $2 user
select count(*) from message_drafts where app_id = $1 and user_id = $2

-- name: find_draft_parent
-- $1 app  $2 channel  $3 message  $4 user.  No row: it can't have replies, or this user does not see it.
select 1 from messages where app_id = $1 and channel_id = $2 and id = $3 and parent_id is null and deleted_at is null
  and (seq > 0 or user_id = $4)

-- name: save_draft
-- $1 app  $2 user  $3 channel  $4 parent  $5 message  $6 now.  No row: it is what it was.
insert into message_drafts (app_id, user_id, channel_id, parent_id, message, created_at, updated_at)
values ($1, $2, $3, $4, $5::jsonb, $6, $6)
on conflict (app_id, user_id, channel_id, parent_id) do update set message = excluded.message, updated_at = excluded.updated_at
where message_drafts.message <> excluded.message
returning 1

-- name: delete_draft
-- $1 app  $2 user  $3 channel  $4 parent
delete from message_drafts where app_id = $1 and user_id = $2 and channel_id = $3 and parent_id = $4

-- name: list_drafts
-- $1 app  $2 user  $3 at most  $4 $5 $6 time, channel and parent of the last one before, or NULL
select c.type || ':' || c.channel_id, d.channel_id, nullif(d.parent_id, '00000000-0000-0000-0000-000000000000'), d.message::text,
  d.created_at, d.updated_at
from message_drafts d
join channels c on c.app_id = d.app_id and c.id = d.channel_id and c.deleted_at is null
join users v on v.app_id = $1 and v.id = $2 and reaches_channel($1, v.teams, c.team, c.cross_team)
join channel_types y on y.app_id = c.app_id and y.type = c.type
where d.app_id = $1 and d.user_id = $2
  and ($4::timestamptz is null or (d.updated_at, d.channel_id, d.parent_id) < ($4, $5::uuid, $6::uuid))
  and (coalesce((y.settings ->> 'open')::boolean, false)
       or exists (select from channel_members m where m.app_id = $1 and m.channel_id = d.channel_id and m.user_id = $2))
  and not (c.has_bans and exists (select from bans_in_force x where x.app_id = $1 and x.user_id = $2 and x.channel_id = c.id and not x.shadow))
order by d.updated_at desc, d.channel_id desc, d.parent_id desc limit $3
