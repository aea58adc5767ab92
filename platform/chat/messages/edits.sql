-- name: keep_edit
-- $1 app  $2 channel  $3 message  $4 now  $5 user or NULL  $6 how many of a message stay, less one
-- What the message is now, before it changes; the oldest ones beyond the limit go.
with kept as (
  insert into message_edits (app_id, channel_id, message_id, edited_at, edited_by, text, attachments, mentions, custom)
  select app_id, channel_id, id, $4, $5, text, attachments, mentions, custom from messages
  where app_id = $1 and channel_id = $2 and id = $3
  on conflict do nothing)
delete from message_edits
where app_id = $1 and channel_id = $2 and message_id = $3 and edited_at <= (
  select edited_at from message_edits where app_id = $1 and channel_id = $2 and message_id = $3
  order by edited_at desc offset $6 limit 1)

-- name: queue_preview
-- $1 app  $2 channel  $3 message  $4 now.  Its text changed; its links perhaps, too.
insert into preview_queue (app_id, channel_id, message_id, created_at) values ($1, $2, $3, $4)
on conflict (app_id, channel_id, message_id) do update set created_at = $4, claimed_until = null

-- name: list_edits
-- $1 app  $2 channel  $3 message.  Newest first.
select e.edited_at, u.user_id, e.text, e.attachments::text, e.mentions::text, e.custom::text from message_edits e
left join users u on u.app_id = $1 and u.id = e.edited_by
where e.app_id = $1 and e.channel_id = $2 and e.message_id = $3
order by e.edited_at desc

-- name: undelete_message
-- $1 app  $2 channel  $3 message
update messages set deleted_at = null, deleted_by = null where app_id = $1 and channel_id = $2 and id = $3

-- name: uncount_deletion
-- $1 app  $2 channel  $3 message_seq
delete from message_deletions where app_id = $1 and channel_id = $2 and message_seq = $3

-- name: count_reply
-- $1 app  $2 channel  $3 parent
update messages set reply_count = reply_count + 1 where app_id = $1 and channel_id = $2 and id = $3

-- name: replace_mentions
-- $1 app  $2 channel  $3 message  $4 user_ids[].  Of members only, as when it was sent; of what is said in the shadow nobody.
insert into mentions (app_id, user_id, channel_id, message_id, message_seq)
select $1, u.id, m.channel_id, m.id, m.message_seq from messages m
join users u on u.app_id = $1 and u.user_id = any ($4::text[]) and u.deleted_at is null
join channel_members cm on cm.app_id = $1 and cm.channel_id = $2 and cm.user_id = u.id
join channels c on c.app_id = $1 and c.id = $2 and reaches_channel($1, u.teams, c.team, c.cross_team)
where m.app_id = $1 and m.channel_id = $2 and m.id = $3 and m.seq > 0
on conflict do nothing
