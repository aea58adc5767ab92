-- name: sum_unread
-- $1 app  $2 user_id.  A row per channel type that has something unread.
select c.type, sum(m.unread)::bigint, sum(m.mentions)::bigint, count(*) from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null and not c.blocked
where u.app_id = $1 and u.user_id = $2 and m.unread > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
group by c.type order by c.type

-- name: list_unread_channels
-- $1 app  $2 user_id  $3 below this unread  $4 or equal, and behind this channel; both NULL: from the first  $5 at most
select c.id, c.type || ':' || c.channel_id, m.unread, m.mentions, m.read_message_seq, m.last_message_seq from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null and not c.blocked
where u.app_id = $1 and u.user_id = $2 and m.unread > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
  and ($3::bigint is null or m.unread < $3 or (m.unread = $3 and c.id > $4))
order by m.unread desc, c.id limit $5

-- name: sum_unread_of_users
-- $1 app  $2 user_ids[]
select u.user_id, coalesce(sum(m.unread), 0)::bigint, coalesce(sum(m.mentions), 0)::bigint, count(m.id) filter (where m.unread > 0)
from users u
left join (members_shown m join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null)
  on m.app_id = u.app_id and m.id = u.id and reaches_channel($1, u.teams, c.team, c.cross_team)
where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null
group by u.user_id

-- name: unread_in_channels
-- $1 app  $2 user_ids[]  $3 types[]  $4 channel ids[], together.  Those that are not the user's are left out.
select w.user_id, c.type || ':' || c.channel_id, m.unread, m.mentions, m.read_message_seq, m.last_message_seq
from unnest($2::text[], $3::text[], $4::text[]) as w (user_id, type, channel_id)
join users u on u.app_id = $1 and u.user_id = w.user_id
join channels c on c.app_id = $1 and c.type = w.type and c.channel_id = w.channel_id and c.deleted_at is null
join members_shown m on m.app_id = $1 and m.channel_id = c.id and m.id = u.id
where reaches_channel($1, u.teams, c.team, c.cross_team)
order by 1, 2
