-- name: find_place
-- $1 app  $2 channel.  No row: no such channel.
select c.type || ':' || c.channel_id, h.epoch, h.last_seq, h.last_message_id
from channels c join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
where c.app_id = $1 and c.id = $2

-- name: missed_messages
-- $1 app  $2 channel  $3 from  $4 to  $5 newest message's id  $6 the channel's own id  $7 numbers given since `from`
-- No index on seq: of the newest messages, no more than $7 can lie behind $3, since ids grow with seq.
select * from (
  select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
    reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
  from messages_shown
  where app_id = $1 and channel_id = $2 and id <= $5 and id > $6 and seq > 0
  order by id desc limit $7) newest
where seq > $3 and seq <= $4

-- name: missed_events
-- $1 app  $2 channel  $3 from  $4 to
select e.seq, e.id, e.type, e.message_id, e.data::text, e.created_at from channel_events e
where e.app_id = $1 and e.channel_id = $2 and e.seq > $3 and e.seq <= $4

-- name: kept_channels
-- $1 app  $2 channels[].  Also of deleted channels.
select c.id, c.type || ':' || c.channel_id, coalesce(h.epoch, '') from channels c
left join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
where c.app_id = $1 and c.id = any ($2::uuid[])

-- name: kept_events
-- $1 app  $2 ords[]  $3 channels[]  $4 seqs[]
select r.ord, e.data::text from unnest($2::int[], $3::uuid[], $4::bigint[]) as r (ord, channel, seq)
join channel_events e on e.app_id = $1 and e.channel_id = r.channel and e.seq = r.seq and e.data is not null

-- name: kept_messages
-- $1 app  $2 channels[]  $3 messages[], as many.  Erased ones too.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown
where app_id = $1 and (channel_id, id) in (select c, m from unnest($2::uuid[], $3::uuid[]) as r (c, m))

-- name: shown_messages
-- $1 app  $2 channel  $3 messages[].  Erased ones too.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown where app_id = $1 and channel_id = $2 and id = any ($3::uuid[])
