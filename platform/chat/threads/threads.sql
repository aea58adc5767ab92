-- name: get_thread
-- $1 app  $2 channel  $3 parent  $4 user, or NULL  $5 participants at most  $6 unread at most.  No row: no such message, or a reply.
select c.type || ':' || c.channel_id, p.channel_id, p.id, p.last_reply_at,
  array(select u.user_id from thread_members o join users u on u.app_id = o.app_id and u.id = o.user_id
        where o.app_id = $1 and o.channel_id = $2 and o.parent_id = $3 and o.participates order by o.created_at, o.user_id limit $5)::text,
  (select count(*) from thread_members o where o.app_id = $1 and o.channel_id = $2 and o.parent_id = $3 and o.participates),
  coalesce(t.follows, false), t.read_id, coalesce(n.unread, 0), coalesce(n.mentions, 0)
from messages p
join channels c on c.app_id = p.app_id and c.id = p.channel_id
left join thread_members t on t.app_id = p.app_id and t.user_id = $4 and t.channel_id = p.channel_id and t.parent_id = p.id
left join lateral unread_replies($1, $2, $3, t.user_id, t.read_id, $6) n on t.user_id is not null
where p.app_id = $1 and p.channel_id = $2 and p.id = $3 and p.parent_id is null and not p.erased

-- name: newest_reply
-- $1 app  $2 channel  $3 parent.  No row: no reply.
select id from messages where app_id = $1 and channel_id = $2 and parent_id = $3 and id > $3 and seq > 0 order by id desc limit 1

-- name: follow_thread
-- $1 app  $2 channel  $3 parent  $4 user  $5 follows  $6 newest reply, or NULL  $7 now.  No row: it was so already.
insert into thread_members (app_id, channel_id, parent_id, user_id, participates, follows, read_id, created_at, updated_at)
select $1, $2, $3, $4, false, $5, $6, $7, $7 where $5 or exists (
  select from thread_members where app_id = $1 and user_id = $4 and channel_id = $2 and parent_id = $3)
on conflict (app_id, user_id, channel_id, parent_id) do update
set follows = $5, read_id = case when $5 then $6 else thread_members.read_id end, updated_at = $7
where thread_members.follows <> $5
returning 1

-- name: move_mark
-- $1 app  $2 channel  $3 parent  $4 user  $5 reply  $6 now.  No row: it stands there or further already.
insert into thread_members (app_id, channel_id, parent_id, user_id, participates, follows, read_id, created_at, updated_at)
values ($1, $2, $3, $4, false, false, $5, $6, $6)
on conflict (app_id, user_id, channel_id, parent_id) do update set read_id = $5, updated_at = $6
where thread_members.read_id is null or thread_members.read_id < $5
returning 1

-- name: list_threads
-- $1 app  $2 user  $3 at most  $4 $5 last reply and parent of the last one before, or NULL  $6 participants at most
-- $7 unread at most  $8 only those with something unread
select shown.*, n.unread, n.mentions from (
  select c.type || ':' || c.channel_id, t.channel_id, t.parent_id, t.last_reply_at,
    array(select u.user_id from thread_members o join users u on u.app_id = o.app_id and u.id = o.user_id
          where o.app_id = $1 and o.channel_id = t.channel_id and o.parent_id = t.parent_id and o.participates
          order by o.created_at, o.user_id limit $6)::text,
    (select count(*) from thread_members o where o.app_id = $1 and o.channel_id = t.channel_id and o.parent_id = t.parent_id and o.participates),
    true as follows, t.read_id
  from followed_threads t
  join channels c on c.app_id = $1 and c.id = t.channel_id
  where t.app_id = $1 and t.user_id = $2
    and ($4::timestamptz is null or t.last_reply_at < $4 or (t.last_reply_at = $4 and t.parent_id < $5::uuid))
    and (not $8::boolean or (select unread > 0 from unread_replies($1, t.channel_id, t.parent_id, $2, t.read_id, 1)))
  order by t.last_reply_at desc, t.parent_id desc limit $3) shown
cross join lateral unread_replies($1, shown.channel_id, shown.parent_id, $2, shown.read_id, $7) n
order by shown.last_reply_at desc, shown.parent_id desc
