-- Lists leave out what shadow-banned users wrote (seq 0), unless the reader sees it all (a boolean), or wrote it (its user_id).

-- name: get_message
-- $1 app  $2 channel  $3 message.  No row: no such message, erased, or truncated.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown where app_id = $1 and channel_id = $2 and id = $3 and not erased

-- name: find_messages
-- $1 app  $2 channel  $3 messages[]
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown where app_id = $1 and channel_id = $2 and id = any ($3::uuid[]) and not erased

-- name: list_older
-- $1 app  $2 channel  $3 below this id  $4 above this id (nothing is older than the channel)  $5 at most  $6 and $7: see the top.  Newest first.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown
where app_id = $1 and channel_id = $2 and id < $3 and id > $4 and (parent_id is null or show_in_channel) and not erased and (seq > 0 or $6::boolean or user_id = $7)
order by id desc limit $5

-- name: list_newer
-- $1 app  $2 channel  $3 above this id  $4 up to this id  $5 at most  $6 and $7: see the top.  Oldest first.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown
where app_id = $1 and channel_id = $2 and id > $3 and id <= $4 and (parent_id is null or show_in_channel) and not erased and (seq > 0 or $6::boolean or user_id = $7)
order by id limit $5

-- name: list_older_replies
-- $1 app  $2 channel  $3 below this id  $4 above this id  $5 at most  $6 parent  $7 and $8: see the top.  Newest first.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown
where app_id = $1 and channel_id = $2 and parent_id = $6 and id < $3 and id > $4 and not erased and (seq > 0 or $7::boolean or user_id = $8) order by id desc limit $5

-- name: list_newer_replies
-- $1 app  $2 channel  $3 above this id  $4 up to this id  $5 at most  $6 parent  $7 and $8: see the top.  Oldest first.
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown
where app_id = $1 and channel_id = $2 and parent_id = $6 and id > $3 and id <= $4 and not erased and (seq > 0 or $7::boolean or user_id = $8) order by id limit $5

-- name: lock_message
-- $1 app  $2 channel  $3 message.  No row: no such message, or erased.
select user_id, deleted_at, deleted_by, message_seq, parent_id, pinned_at is not null, pin_expires_at, seq = 0 from messages
where app_id = $1 and channel_id = $2 and id = $3 and not erased
  and not exists (select from channels c where c.app_id = $1 and c.id = $2 and c.truncated_message_id >= $3)
for update

-- name: update_message
-- $1 app  $2 channel  $3 message  $4 text  $5 attachments  $6 custom  $7 mentions  $8 unset[]  $9 now; NULL keeps.
-- Translations are of the text that was.
update messages set
  text = coalesce($4, text),
  attachments = case when 'attachments' = any ($8::text[]) then null else coalesce($5::jsonb, attachments) end,
  custom = case when 'custom' = any ($8::text[]) then null else coalesce($6::jsonb, custom) end,
  mentions = case when 'mentions' = any ($8::text[]) then null else coalesce($7::jsonb, mentions) end,
  extras = case when $4 <> text and extras ? 'translations' then nullif(extras - 'translations', '{}') else extras end,
  updated_at = $9
where app_id = $1 and channel_id = $2 and id = $3

-- name: delete_message
-- $1 app  $2 channel  $3 message  $4 now  $5 user or NULL.  Soft.
update messages set deleted_at = $4, deleted_by = $5 where app_id = $1 and channel_id = $2 and id = $3

-- name: take_deletion
-- $1 app  $2 channel  $3 message  $4 user or NULL.  Of what its author deleted: the author does not bring it back.
update messages set deleted_by = $4 where app_id = $1 and channel_id = $2 and id = $3

-- name: erase_message
-- $1 app  $2 channel  $3 message  $4 now.  The row keeps its numbers, so that nobody sees a hole.
update messages set deleted_at = coalesce(deleted_at, $4), erased = true, text = '', attachments = null, mentions = null,
  custom = null, nonce = null
where app_id = $1 and channel_id = $2 and id = $3

-- name: count_deletion
-- $1 app  $2 channel  $3 message_seq.  Unread subtracts it.
insert into message_deletions (app_id, channel_id, message_seq) values ($1, $2, $3) on conflict do nothing

-- name: uncount_reply
-- $1 app  $2 channel  $3 parent
update messages set reply_count = greatest(reply_count - 1, 0) where app_id = $1 and channel_id = $2 and id = $3

-- name: forget_mentions
-- $1 app  $2 channel  $3 message
delete from mentions where app_id = $1 and channel_id = $2 and message_id = $3

-- name: show_erased
-- $1 app  $2 channel  $3 message
select id, cid, seq, message_seq, type, user_id, text, attachments, mentions, custom, parent_id, show_in_channel, quoted_id,
  reply_count, silent, nonce, created_at, updated_at, deleted_at, erased, reactions, pin, extras
from messages_shown where app_id = $1 and channel_id = $2 and id = $3
