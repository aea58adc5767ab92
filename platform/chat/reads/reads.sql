-- name: number_at
-- $1 app  $2 channel  $3 message  $4 the channel's own id: nothing is older.
-- The number of the newest countable message up to that one. No row: none is.
select message_seq from messages
where app_id = $1 and channel_id = $2 and id <= $3 and id > $4 and message_seq is not null
order by id desc limit 1

-- name: number_before
-- $1 app  $2 channel  $3 message  $4 the channel's own id.
-- The number of the newest countable message before that one. No row: none is.
select message_seq from messages
where app_id = $1 and channel_id = $2 and id < $3 and id > $4 and message_seq is not null
order by id desc limit 1

-- name: move_watermark
-- $1 app  $2 channel  $3 user  $4 number  $5 now.  No row: it stands there or further already.
-- Never below where the member joined: what was said before that is not unread.
update channel_members set read_message_seq = greatest($4, joined_message_seq), read_at = $5
where app_id = $1 and channel_id = $2 and user_id = $3 and (read_message_seq is null or read_message_seq < $4)
returning 1

-- name: move_watermark_back
-- $1 app  $2 channel  $3 user  $4 number  $5 now.  No row: it stands there or before already.
-- Receipts stay where they were. A mark that never was begins where the member joined.
update channel_members set read_at = coalesce(read_at, $5),
  furthest_read_seq = greatest(furthest_read_seq, read_message_seq),
  read_message_seq = case when read_message_seq is null then joined_message_seq else greatest($4, joined_message_seq) end
where app_id = $1 and channel_id = $2 and user_id = $3
  and (read_message_seq is null or read_message_seq > greatest($4, joined_message_seq))
returning 1

-- name: get_mark
-- $1 app  $2 channel  $3 user
select read_message_seq, read_at, unread, mentions from members_shown where app_id = $1 and channel_id = $2 and id = $3

-- name: find_own_channels
-- $1 app  $2 user_id  $3 types[]  $4 channel ids[]  $5 messages[], NULL: the newest.
-- One row per channel of the list that the user is a member of, in the list's order; `number` is NULL when the message is
-- not there. In order of channel within the later update.
select w.ord - 1, c.id, m.user_id, m.role, (t.settings || c.settings)::text,
  case when w.message is null then h.last_message_seq
       when exists (select 1 from messages x where x.app_id = $1 and x.channel_id = c.id and x.id = w.message and not x.erased
                      and (c.truncated_message_id is null or x.id > c.truncated_message_id)
                      and (x.seq > 0 or x.user_id = u.id   -- 0: in the shadow, which moderators see
                           or coalesce(t.settings -> 'grants' -> m.role ? 'chat:message:see_shadowed', m.role in ('owner', 'admin', 'moderator'), false)
                           or coalesce(t.settings -> 'grants' -> (u.teams ->> c.team) ? 'chat:message:see_shadowed', false)))
       then coalesce((select x.message_seq from messages x
                      where x.app_id = $1 and x.channel_id = c.id and x.id <= w.message and x.id > c.id and x.message_seq is not null
                      order by x.id desc limit 1), 0) end as number
from unnest($3::text[], $4::text[], $5::uuid[]) with ordinality as w (type, channel_id, message, ord)
join users u on u.app_id = $1 and u.user_id = $2
join channels c on c.app_id = $1 and c.type = w.type and c.channel_id = w.channel_id and c.deleted_at is null
join channel_heads h on h.app_id = $1 and h.channel_id = c.id
join channel_types t on t.app_id = $1 and t.type = c.type
join channel_members m on m.app_id = $1 and m.channel_id = c.id and m.user_id = u.id
where reaches_channel($1, u.teams, c.team, c.cross_team)
order by w.ord

-- name: find_unread_channels
-- $1 app  $2 user_id  $3 at most.  Those in sight, as in unread.sql.
select c.id, c.type, c.channel_id, m.id, m.role, (t.settings || c.settings)::text, m.last_message_seq
from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
join channel_types t on t.app_id = c.app_id and t.type = c.type
where u.app_id = $1 and u.user_id = $2 and m.unread > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
  and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = c.app_id and h.channel_id = c.id))
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = c.app_id and b.user_id = m.id and b.channel_id = c.id and not b.shadow))
order by c.id limit $3

-- name: lock_own_memberships
-- $1 app  $2 user  $3 channels[].  In one order, so that two batches of one user never wait for each other in a circle.
select channel_id from channel_members
where app_id = $1 and user_id = $2 and channel_id = any ($3::uuid[]) order by channel_id for update

-- name: move_watermarks
-- $1 app  $2 user  $3 channels[]  $4 numbers[]  $5 now.  Rows: the channels whose mark moved.
update channel_members m set read_message_seq = greatest(w.number, m.joined_message_seq), read_at = $5
from unnest($3::uuid[], $4::bigint[]) as w (channel_id, number)
where m.app_id = $1 and m.channel_id = w.channel_id and m.user_id = $2
  and (m.read_message_seq is null or m.read_message_seq < w.number)
returning m.channel_id

-- name: move_delivered
-- $1 app  $2 user  $3 channels[]  $4 numbers[]  $5 now.  Rows: the channels whose mark moved.
update channel_members m set delivered_seq = w.number, delivered_at = $5
from unnest($3::uuid[], $4::bigint[]) as w (channel_id, number)
where m.app_id = $1 and m.channel_id = w.channel_id and m.user_id = $2
  and w.number > greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq, m.joined_message_seq)
returning m.channel_id

-- name: get_marks
-- $1 app  $2 user  $3 channels[]
select channel_id, read_message_seq, read_at, unread, mentions, delivered_seq, delivered_at from members_shown
where app_id = $1 and id = $2 and channel_id = any ($3::uuid[])
