-- name: find_point
-- $1 app  $2 channel  $3 up to this id  $4 the channel's own id (nothing is older)  $5 before this moment, or NULL.
-- The newest message there, and the newest of its numbers. No row: none is.
select m.id,
  (select n.message_seq from messages n
   where n.app_id = $1 and n.channel_id = $2 and n.id <= m.id and n.id > $4 and n.message_seq is not null order by n.id desc limit 1),
  (select n.seq from messages n
   where n.app_id = $1 and n.channel_id = $2 and n.id <= m.id and n.id > $4 and n.seq > 0 order by n.id desc limit 1)
from messages m where m.app_id = $1 and m.channel_id = $2 and m.id <= $3 and m.id > $4 and ($5::timestamptz is null or m.created_at < $5)
order by m.id desc limit 1

-- name: move_point
-- $1 app  $2 channel  $3 message  $4 hard  $5 now.  No row: it stands there or further already.
update channels set
  truncated_at = case when truncated_message_id is null or truncated_message_id < $3 then $5 else truncated_at end,
  truncated_message_id = greatest(truncated_message_id, $3),
  emptied_message_id = case when $4::boolean then greatest(emptied_message_id, $3) else emptied_message_id end
where app_id = $1 and id = $2
  and (truncated_message_id is null or truncated_message_id < $3 or ($4 and (emptied_message_id is null or emptied_message_id < $3)))
returning truncated_at

-- name: move_unread
-- $1 app  $2 channel  $3 number of the newest countable message that goes
update channel_heads set truncated_message_seq = greatest(truncated_message_seq, $3) where app_id = $1 and channel_id = $2

-- name: queue_truncation
-- $1 app  $2 channel  $3 message  $4 hard  $5 newest number that goes  $6 now.  Begins anew what is under way.
insert into truncations as t (app_id, channel_id, up_to, remove_up_to, remove_seq, after_message, requested_at)
values ($1, $2, $3, case when $4::boolean then $3::uuid end, case when $4 then $5::bigint else 0 end, $2, $6)
on conflict (app_id, channel_id) do update set up_to = greatest(t.up_to, excluded.up_to),
  remove_up_to = greatest(t.remove_up_to, excluded.remove_up_to), remove_seq = greatest(t.remove_seq, excluded.remove_seq),
  after_message = excluded.after_message
