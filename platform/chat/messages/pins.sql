-- name: count_other_pins
-- $1 app  $2 channel  $3 message: not that one  $4 now: those that have not expired
select count(*) from messages
where app_id = $1 and channel_id = $2 and pinned_at is not null and id <> $3 and deleted_at is null
  and (pin_expires_at is null or pin_expires_at > $4)
  and not exists (select from channels c where c.app_id = $1 and c.id = $2 and c.truncated_message_id >= messages.id)

-- name: pin_message
-- $1 app  $2 channel  $3 message  $4 now  $5 user or NULL  $6 until, or NULL
update messages set pinned_at = $4, pinned_by = $5, pin_expires_at = $6 where app_id = $1 and channel_id = $2 and id = $3

-- name: unpin_message
-- $1 app  $2 channel  $3 message
update messages set pinned_at = null, pinned_by = null, pin_expires_at = null where app_id = $1 and channel_id = $2 and id = $3

-- name: list_pins
-- $1 app  $2 channel  $3 at most.  Last pinned first; the expired ones are not shown.
select s.id, s.cid, s.seq, s.message_seq, s.type, s.user_id, s.text, s.attachments, s.mentions, s.custom, s.parent_id,
  s.show_in_channel, s.quoted_id, s.reply_count, s.silent, s.nonce, s.created_at, s.updated_at, s.deleted_at, s.erased, s.reactions,
  s.pin, s.extras
from messages p
join messages_shown s on s.app_id = p.app_id and s.channel_id = p.channel_id and s.id = p.id
where p.app_id = $1 and p.channel_id = $2 and p.pinned_at is not null and s.pin is not null
order by p.pinned_at desc, p.id desc limit $3
