-- name: find_watched_channels
-- $1 app  $2 types[]  $3 channel ids[].  Those that exist, and whether they are large.
select c.type || ':' || c.channel_id, c.id, coalesce(t.settings @> '{"large": true}', false)
from unnest($2::text[], $3::text[]) as w (type, channel_id)
join channels c on c.app_id = $1 and c.type = w.type and c.channel_id = w.channel_id and c.deleted_at is null
join channel_types t on t.app_id = c.app_id and t.type = c.type

-- name: find_watching_users
-- $1 app  $2 user_ids[].  Whether they are invisible, and the users to whom a block stands from either side.
select u.user_id, u.invisible,
  array(select o.user_id
        from (select blocked_id as id from user_blocks where app_id = $1 and user_id = u.id
              union select user_id from user_blocks where app_id = $1 and blocked_id = u.id) apart
        join users o on o.app_id = $1 and o.id = apart.id)::text
from users u where u.app_id = $1 and u.user_id = any ($2::text[])

-- name: find_invisible_users
-- $1 app  $2 user_ids[]
select user_id from users where app_id = $1 and user_id = any ($2::text[]) and invisible
