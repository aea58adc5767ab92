-- name: put_channel_ban
-- $1 app  $2 channel  $3 user  $4 shadow  $5 reason  $6 banned by  $7 now  $8 expires
insert into channel_bans (app_id, channel_id, user_id, shadow, reason, banned_by, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (app_id, user_id, channel_id) do update set shadow = excluded.shadow, reason = excluded.reason,
  banned_by = excluded.banned_by, created_at = excluded.created_at, expires_at = excluded.expires_at

-- name: delete_channel_ban
-- $1 app  $2 channel  $3 user_id  $4 only if expired by then, or NULL.  No row: there is none.
delete from channel_bans b using users u
where b.app_id = $1 and b.channel_id = $2 and u.app_id = $1 and u.id = b.user_id and u.user_id = $3
  and ($4::timestamptz is null or b.expires_at <= $4)
returning b.shadow

-- name: flag_channel
-- $1 app  $2 channel.  Sends look for bans only where there are any.
update channels c set has_bans = not c.has_bans
where c.app_id = $1 and c.id = $2
  and c.has_bans <> exists (select from channel_bans b where b.app_id = $1 and b.channel_id = $2)

-- name: get_channel_ban
-- $1 app  $2 channel  $3 user.  A row: a ban stands, perhaps expired but not lifted yet.
select shadow from channel_bans where app_id = $1 and channel_id = $2 and user_id = $3

-- name: list_channel_bans
-- $1 app  $2 channel  $3 after user (id), or NULL  $4 at most
select b.user_id, u.user_id, b.shadow, b.reason, by_user.user_id, b.created_at, b.expires_at from channel_bans b
join users u on u.app_id = b.app_id and u.id = b.user_id
left join users by_user on by_user.app_id = b.app_id and by_user.id = b.banned_by
where b.app_id = $1 and b.channel_id = $2 and (b.expires_at is null or b.expires_at > now()) and ($3::uuid is null or b.user_id > $3)
order by b.user_id limit $4

-- name: put_application_ban
-- $1 app  $2 user  $3 shadow  $4 reason  $5 now  $6 expires
insert into application_bans (app_id, user_id, shadow, reason, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)
on conflict (app_id, user_id) do update set shadow = excluded.shadow, reason = excluded.reason,
  created_at = excluded.created_at, expires_at = excluded.expires_at

-- name: delete_application_ban
-- $1 app  $2 user_id  $3 only if expired by then, or NULL.  No row: there is none.
delete from application_bans b using users u
where b.app_id = $1 and u.app_id = $1 and u.id = b.user_id and u.user_id = $2 and ($3::timestamptz is null or b.expires_at <= $3)
returning b.shadow

-- name: flag_user
-- $1 app  $2 user_id  $3 banned
update users set banned = $3 where app_id = $1 and user_id = $2

-- name: list_application_bans
-- $1 app  $2 after user (id), or NULL  $3 at most
select b.user_id, u.user_id, b.shadow, b.reason, null::text, b.created_at, b.expires_at from application_bans b
join users u on u.app_id = b.app_id and u.id = b.user_id
where b.app_id = $1 and (b.expires_at is null or b.expires_at > now()) and ($2::uuid is null or b.user_id > $2)
order by b.user_id limit $3

-- name: expired_bans
-- $1 at most of each kind.  No channel: from the application.
select app_id, user_id, channel_type, channel_id from expired_bans($1)

-- name: lock_banned_channel
-- $1 app  $2 type  $3 channel id.  No row: gone.
select h.channel_id from channels c join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
where c.app_id = $1 and c.type = $2 and c.channel_id = $3 and c.deleted_at is null for update of h

-- name: find_member
-- $1 app  $2 channel  $3 user_id.  No row: not a member.
select role from members_shown where app_id = $1 and channel_id = $2 and user_id = $3

-- name: banned_channel
-- $1 app  $2 channel
select id, type, channel_id, name, image, description, custom, frozen, is_distinct, created_by, created_at, updated_at,
  epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count, slow_mode, cooldown,
  truncated_at, truncated_message_id, team, cross_team, settings
from channels_shown where app_id = $1 and id = $2
