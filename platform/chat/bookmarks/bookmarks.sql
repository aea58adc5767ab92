-- name: lock_owner
-- $1 app  $2 user.  Whoever saves at once for one user waits here, so that the limit holds.
select 1 from users where app_id = $1 and id = $2 for no key update

-- name: find_bookmark
-- $1 app  $2 user  $3 channel  $4 message.  No row: not saved.
select c.type || ':' || c.channel_id, b.channel_id, b.message_id, b.note, b.remind_at, b.reminded_at, b.created_at, b.updated_at
from bookmarks b join channels c on c.app_id = b.app_id and c.id = b.channel_id
where b.app_id = $1 and b.user_id = $2 and b.channel_id = $3 and b.message_id = $4

-- name: count_bookmarks
-- $1 app  $2 user
select count(*) from bookmarks where app_id = $1 and user_id = $2

-- name: save_bookmark
-- $1 app  $2 user  $3 channel  $4 message  $5 note  $6 remind at  $7 now
insert into bookmarks (app_id, user_id, channel_id, message_id, note, remind_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
on conflict (app_id, user_id, channel_id, message_id) do update set note = $5, remind_at = $6, updated_at = $7,
  reminded_at = case when bookmarks.remind_at is not distinct from $6 then bookmarks.reminded_at end

-- name: delete_bookmark
-- $1 app  $2 user  $3 channel  $4 message
delete from bookmarks where app_id = $1 and user_id = $2 and channel_id = $3 and message_id = $4

-- name: list_bookmarks
-- $1 app  $2 user  $3 at most  $4 $5 time and message of the last one before, or NULL
select c.type || ':' || c.channel_id, b.channel_id, b.message_id, b.note, b.remind_at, b.reminded_at, b.created_at, b.updated_at
from bookmarks b
join channels c on c.app_id = b.app_id and c.id = b.channel_id and c.deleted_at is null
  and (c.truncated_message_id is null or b.message_id > c.truncated_message_id)
join channel_types y on y.app_id = c.app_id and y.type = c.type
join users v on v.app_id = $1 and v.id = $2 and reaches_channel($1, v.teams, c.team, c.cross_team)
where b.app_id = $1 and b.user_id = $2
  and ($4::timestamptz is null or b.created_at < $4 or (b.created_at = $4 and b.message_id < $5::uuid))
  and (coalesce((y.settings ->> 'open')::boolean, false)
       or exists (select from channel_members m where m.app_id = $1 and m.channel_id = b.channel_id and m.user_id = $2))
  and not (c.has_bans and exists (select from bans_in_force x where x.app_id = $1 and x.user_id = $2 and x.channel_id = c.id and not x.shadow))
order by b.created_at desc, b.message_id desc limit $3

-- name: due_reminders
-- $1 until  $2 at most
select app_id, user_id, channel_id, message_id from due_reminders($1, $2)

-- name: mark_reminded
-- $1 app  $2 user  $3 channel  $4 message  $5 now.  No row: told already, changed, or gone; or the user can't hear it any more.
update bookmarks b set reminded_at = $5 from users u
where b.app_id = $1 and b.user_id = $2 and b.channel_id = $3 and b.message_id = $4 and b.reminded_at is null and b.remind_at <= $5
  and u.app_id = $1 and u.id = b.user_id
returning u.user_id
