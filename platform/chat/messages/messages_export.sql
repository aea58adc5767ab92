-- name: next_channel
-- $1 app  $2 after this channel, or NULL.  The first channel that is left.
select id, type || ':' || channel_id from channels where app_id = $1 and ($2::uuid is null or id > $2) and purged_at is null order by id limit 1

-- name: get_cid
-- $1 app  $2 channel
select type || ':' || channel_id from channels where app_id = $1 and id = $2

-- name: slice_end
-- $1 app  $2 channel  $3 above this id  $4 at most.  The last of so many messages. No row: none is left.
select id from (select id from messages where app_id = $1 and channel_id = $2 and id > $3 order by id limit $4) slice
order by id desc limit 1

-- name: written_by
-- $1 app  $2 channel  $3 above this id  $4 up to this id  $5 user
select id, type, text, attachments::text, mentions::text, custom::text, parent_id, created_at, updated_at, deleted_at,
  case when extras ? 'poll' then (select jsonb_build_object('question', p.question, 'options', p.options)::text from polls p
    where p.app_id = $1 and p.channel_id = $2 and p.message_id = m.id) end,
  (select jsonb_agg(jsonb_build_object('edited_at', wire_time(e.edited_at), 'text', e.text, 'attachments', e.attachments, 'custom', e.custom)
                    order by e.edited_at)::text from message_edits e
   where e.app_id = m.app_id and e.channel_id = m.channel_id and e.message_id = m.id)
from messages m where app_id = $1 and channel_id = $2 and id > $3 and id <= $4 and user_id = $5 and not erased
order by id
