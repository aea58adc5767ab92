-- name: is_in_shadow
-- $1 app  $2 channel  $3 user
select is_shadowed($1, $3, $2)

-- name: show_shadowed
-- $1 app  $2 channel  $3 message  $4 now  $5 id for the queues.  No row: it stays where it is.
with shown as (
  update messages m set seq = h.last_seq + 1 from channel_heads h
  where m.app_id = $1 and m.channel_id = $2 and m.id = $3 and m.seq = 0 and m.deleted_at is null and not m.erased
    and h.app_id = $1 and h.channel_id = $2 and not is_shadowed($1, m.user_id, $2)
    and (m.parent_id is null or exists (select from messages p where p.app_id = $1 and p.channel_id = $2 and p.id = m.parent_id and p.seq > 0))
  returning m.id, m.parent_id, m.silent, m.created_at, m.extras
), answered as (
  update messages p set reply_count = p.reply_count + 1, last_reply_at = greatest(p.last_reply_at, s.created_at) from shown s
  where p.app_id = $1 and p.channel_id = $2 and p.id = s.parent_id
), boxed as (   -- as in send.sql
  insert into outbox (app_id, id, type, channel_id, seq, message_id, created_at)
  select $1, (left(id::text, 24) || left(encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), 12))::uuid, 'command.invoked', $2, null, id, $4
  from shown where extras ? 'command'
    and exists (select from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, 'command.invoked'))
), unindexed as (   -- an older state of it is never written over this one
  update search_index i set version = i.version + 1, words = null from shown s where i.app_id = $1 and i.channel_id = $2 and i.id = s.id
), indexed as (
  insert into search_queue (app_id, id, channels, messages)
  select $1, $5, array[$2::uuid], array[s.id] from shown s
  where exists (select from applications a where a.app_id = $1 and coalesce(a.settings ->> 'search_language', 'simple') <> 'off')
), pushed as (
  insert into push_queue (app_id, id, event, channels, messages, created_at)
  select $1, $5, 'message.new', array[$2::uuid], array[s.id], $4 from shown s
  where not s.silent and exists (select from push_providers x where x.app_id = $1)
)
select id from shown
