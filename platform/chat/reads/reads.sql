-- name: number_at
-- $1 app  $2 channel  $3 message  $4 the channel's own id: nothing is older.
-- The number of the newest countable message up to that one. No row: none is.
select message_seq from messages
where app_id = $1 and channel_id = $2 and id <= $3 and id > $4 and message_seq is not null
order by id desc limit 1

-- name: move_watermark
-- $1 app  $2 channel  $3 user  $4 number  $5 now.  No row: it stands there or further already.
-- Never below where the member joined: what was said before that is not unread.
update channel_members set read_message_seq = greatest($4, joined_message_seq), read_at = $5
where app_id = $1 and channel_id = $2 and user_id = $3 and (read_message_seq is null or read_message_seq < $4)
returning 1

-- name: get_mark
-- $1 app  $2 channel  $3 user
select read_message_seq, read_at, unread from members_shown where app_id = $1 and channel_id = $2 and id = $3

-- name: total_unread
-- $1 app  $2 user_id
select coalesce(sum(m.unread), 0)::bigint from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
where u.app_id = $1 and u.user_id = $2

-- name: unread_channels
-- $1 app  $2 user_id
select c.type || ':' || c.channel_id, m.unread, m.read_message_seq, m.last_message_seq from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
where u.app_id = $1 and u.user_id = $2 and m.unread > 0
order by m.unread desc, c.id limit 100
