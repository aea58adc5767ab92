-- name: get_push_preferences
-- $1 app  $2 user_id.  No row: no such user; a NULL level: nothing was set.
select u.id, p.level, p.muted_until, p.quiet_from, p.quiet_to, p.quiet_days::text, p.time_zone, p.language, p.updated_at
from users u left join push_preferences p on p.app_id = u.app_id and p.user_id = u.id
where u.app_id = $1 and u.user_id = $2 and u.deleted_at is null

-- name: is_time_zone
-- $1 name
select exists (select from pg_timezone_names where name = $1)

-- name: set_push_preferences
-- $1 app  $2 user  $3 level  $4 muted until  $5 $6 quiet from and to  $7 days[]  $8 time zone  $9 language  $10 now
insert into push_preferences (app_id, user_id, level, muted_until, quiet_from, quiet_to, quiet_days, time_zone, language, updated_at)
values ($1, $2, $3, $4, $5, $6, $7::smallint[], $8, $9, $10)
on conflict (app_id, user_id) do update set level = excluded.level, muted_until = excluded.muted_until, quiet_from = excluded.quiet_from,
  quiet_to = excluded.quiet_to, quiet_days = excluded.quiet_days, time_zone = excluded.time_zone, language = excluded.language,
  updated_at = excluded.updated_at

-- name: get_channel_push_preference
-- $1 app  $2 user  $3 channel.  No row: none.
select level, muted_until from channel_push_preferences where app_id = $1 and user_id = $2 and channel_id = $3

-- name: set_channel_push_preference
-- $1 app  $2 user  $3 channel  $4 level  $5 muted until  $6 now
insert into channel_push_preferences (app_id, user_id, channel_id, level, muted_until, updated_at) values ($1, $2, $3, $4, $5, $6)
on conflict (app_id, user_id, channel_id) do update set level = excluded.level, muted_until = excluded.muted_until, updated_at = excluded.updated_at

-- name: delete_channel_push_preference
-- $1 app  $2 user  $3 channel
delete from channel_push_preferences where app_id = $1 and user_id = $2 and channel_id = $3
