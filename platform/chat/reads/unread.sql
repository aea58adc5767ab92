-- Out of sight, and of the counts: the direct channel of two of whom one blocks the other; channels of teams out of reach; those that the user is
-- banned from.

-- name: sum_unread
-- $1 app  $2 user_id.  A row per channel type and team that have something unread.
select c.type, sum(m.unread)::bigint, sum(m.mentions)::bigint, count(*), c.team from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
  and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = c.app_id and h.channel_id = c.id))
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = c.app_id and b.user_id = m.id and b.channel_id = c.id and not b.shadow))
where u.app_id = $1 and u.user_id = $2 and m.unread > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
group by c.type, c.team order by c.type, c.team collate "C"

-- name: list_unread_threads
-- $1 app  $2 user_id  $3 replies counted at most  $4 threads at most.  Of those followed that have an unread reply: the newest reply first.
select t.parent_id, t.cid, n.unread, n.mentions
from (select f.channel_id, f.parent_id, f.user_id, f.read_id, f.last_reply_at, c.type || ':' || c.channel_id as cid
      from users u
      join followed_threads f on f.app_id = $1 and f.user_id = u.id
      join channels c on c.app_id = $1 and c.id = f.channel_id
      cross join lateral unread_replies($1, f.channel_id, f.parent_id, f.user_id, f.read_id, 1) one
      where u.app_id = $1 and u.user_id = $2 and one.unread > 0
      order by f.last_reply_at desc, f.parent_id desc limit $4) t
cross join lateral unread_replies($1, t.channel_id, t.parent_id, t.user_id, t.read_id, $3) n
order by t.last_reply_at desc, t.parent_id desc

-- name: count_unread_threads
-- $1 app  $2 user_ids[]  $3 at most of each.  As list_unread_threads.
select u.user_id, (select count(*) from (select 1 from followed_threads f
  cross join lateral unread_replies($1, f.channel_id, f.parent_id, f.user_id, f.read_id, 1) n
  where f.app_id = $1 and f.user_id = u.id and n.unread > 0 limit $3) n)
from users u where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null

-- name: unread_threads_in_channels
-- $1 app  $2 user_ids[]  $3 types[]  $4 channel ids[], together  $5 replies counted at most  $6 threads at most of each pair.
-- As list_unread_threads; the newest reply first.
select w.user_id, t.parent_id, c.type || ':' || c.channel_id, t.unread, t.mentions
from unnest($2::text[], $3::text[], $4::text[]) as w (user_id, type, channel_id)
join users u on u.app_id = $1 and u.user_id = w.user_id
join channels c on c.app_id = $1 and c.type = w.type and c.channel_id = w.channel_id and c.deleted_at is null
cross join lateral (
  select f.parent_id, f.last_reply_at, n.unread, n.mentions from followed_threads f
  cross join lateral unread_replies($1, f.channel_id, f.parent_id, f.user_id, f.read_id, $5) n
  where f.app_id = $1 and f.user_id = u.id and f.channel_id = c.id and n.unread > 0
  order by f.last_reply_at desc, f.parent_id desc limit $6) t
order by w.user_id, t.last_reply_at desc, t.parent_id desc

-- name: list_unread_channels
-- $1 app  $2 user_id  $3 below this unread  $4 or equal, and behind this channel; both NULL: from the first  $5 at most
select c.id, c.type || ':' || c.channel_id, m.unread, m.mentions, m.read_message_seq, m.last_message_seq from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
  and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = c.app_id and h.channel_id = c.id))
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = c.app_id and b.user_id = m.id and b.channel_id = c.id and not b.shadow))
where u.app_id = $1 and u.user_id = $2 and m.unread > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
  and ($3::bigint is null or m.unread < $3 or (m.unread = $3 and c.id > $4))
order by m.unread desc, c.id limit $5

-- name: sum_unread_of_users
-- $1 app  $2 user_ids[].  A row for each channel type and team of each user's channels; one without a type where there is none.
select u.user_id, coalesce(sum(m.unread), 0)::bigint, coalesce(sum(m.mentions), 0)::bigint, count(m.id) filter (where m.unread > 0), c.team,
  c.type
from users u
left join (members_shown m join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
  and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = c.app_id and h.channel_id = c.id)))
  on m.app_id = u.app_id and m.id = u.id and reaches_channel($1, u.teams, c.team, c.cross_team)
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = c.app_id and b.user_id = m.id and b.channel_id = c.id and not b.shadow))
where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null
group by u.user_id, c.type, c.team order by u.user_id

-- name: unread_in_channels
-- $1 app  $2 user_ids[]  $3 types[]  $4 channel ids[], together.  Those that are not the user's are left out.
select w.user_id, c.type || ':' || c.channel_id, m.unread, m.mentions, m.read_message_seq, m.last_message_seq
from unnest($2::text[], $3::text[], $4::text[]) as w (user_id, type, channel_id)
join users u on u.app_id = $1 and u.user_id = w.user_id
join channels c on c.app_id = $1 and c.type = w.type and c.channel_id = w.channel_id and c.deleted_at is null
join members_shown m on m.app_id = $1 and m.channel_id = c.id and m.id = u.id
where reaches_channel($1, u.teams, c.team, c.cross_team)
  and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = c.app_id and h.channel_id = c.id))
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = c.app_id and b.user_id = m.id and b.channel_id = c.id and not b.shadow))
order by 1, 2
