-- name: sum_unread
-- $1 app  $2 user_id.  A row per channel type that has something unread.
select c.type, sum(m.unread)::bigint, sum(m.mentions)::bigint, count(*) from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
where u.app_id = $1 and u.user_id = $2 and m.unread > 0
group by c.type order by c.type

-- name: list_unread_channels
-- $1 app  $2 user_id  $3 below this unread  $4 or equal, and behind this channel; both NULL: from the first  $5 at most
select c.id, c.type || ':' || c.channel_id, m.unread, m.mentions, m.read_message_seq, m.last_message_seq from users u
join members_shown m on m.app_id = u.app_id and m.id = u.id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
where u.app_id = $1 and u.user_id = $2 and m.unread > 0
  and ($3::bigint is null or m.unread < $3 or (m.unread = $3 and c.id > $4))
order by m.unread desc, c.id limit $5
