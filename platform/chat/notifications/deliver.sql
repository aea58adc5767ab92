-- name: claim_push_deliveries
-- $1 worker  $2 due until  $3 lease until  $4 of an application at most  $5 in all
select app_id, claimed from claim_push_deliveries($1, $2, $3, $4, $5)

-- name: load_deliveries
-- $1 app  $2 worker.  What this worker has claimed, the newest of a channel first, with all that a notification needs. The last column:
-- it may still be told (the message is there, its reader may read it and has not; the invitation is not answered). Of a server's invitation
-- the sender has no name.
select d.user_id, d.device_id, d.channel_id, d.message_id, d.event, d.actor_id, d.detail, d.attempts, d.expires_at, d.created_at,
  v.provider, v.provider_name, v.token, u.user_id, c.type, c.channel_id, coalesce(c.name, ''), a.user_id,
  case when d.event <> 'invite.created' or a.id <> d.user_id then coalesce(a.name, a.user_id) end,
  case when d.event = 'invite.created' then i.text when m.text = '' then m.extras -> 'poll' ->> 'question' else m.text end,
  m.attachments -> 0 ->> 'type', m.parent_id, coalesce(g.language, ''),
  coalesce(c.deleted_at is null and reaches_channel($1, u.teams, c.team, c.cross_team)
    and u.deleted_at is null and u.deactivated_at is null and a.user_id is not null and case when d.event = 'invite.created' then i.user_id is not null
    else m.deleted_at is null and not m.erased and author.messages_hidden_at is null
    and (c.truncated_message_id is null or m.id > c.truncated_message_id)
    and (p.user_id is not null or coalesce((t.settings ->> 'open')::boolean, false))
    and (d.event not in ('message.new', 'mention')
         or (m.message_seq is null or coalesce(p.read_message_seq, 0) < m.message_seq) and coalesce(f.read_id < m.id, true)) end, false)
from push_deliveries d
left join user_devices v on v.app_id = $1 and v.user_id = d.user_id and v.device_id = d.device_id
left join users u on u.app_id = $1 and u.id = d.user_id
left join channels c on c.app_id = $1 and c.id = d.channel_id
left join channel_types t on t.app_id = $1 and t.type = c.type
left join messages m on m.app_id = $1 and m.channel_id = d.channel_id and m.id = d.message_id
left join channel_invites i on i.app_id = $1 and i.channel_id = d.channel_id and i.user_id = d.user_id and i.state = 'pending'
left join users author on author.app_id = $1 and author.id = m.user_id
left join users a on a.app_id = $1 and a.id = case when d.event = 'reminder.due' then m.user_id else d.actor_id end
left join channel_members p on p.app_id = $1 and p.channel_id = d.channel_id and p.user_id = d.user_id
left join thread_members f on f.app_id = $1 and f.user_id = d.user_id and f.channel_id = d.channel_id and f.parent_id = m.parent_id
left join push_preferences g on g.app_id = $1 and g.user_id = d.user_id
where d.app_id = $1 and d.claimed_by = $2
order by d.message_id desc

-- name: application_name
-- $1 app
select name from applications where app_id = $1

-- name: end_deliveries
-- $1 app  $2 worker  $3 users[]  $4 devices[]  $5 messages[]  $6 events[]  $7 who did it[]  $8 a provider took it[]  $9 day.
-- Those that are still this worker's; what a provider took is counted with them.
with ended as (
  delete from push_deliveries d
  using unnest($3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::uuid[], $8::boolean[]) as e (user_id, device_id, message_id, event, actor_id, sent)
  where d.app_id = $1 and d.user_id = e.user_id and d.device_id = e.device_id and d.message_id = e.message_id and d.event = e.event
    and d.actor_id = e.actor_id and d.claimed_by = $2
  returning e.sent
), counted as (
  select count(*) as pushes from ended where sent having count(*) > 0
), noted as (   -- so that the day can be counted again
  insert into usage_flushes (app_id, id, flushed_at, day, counts)
  select $1, 'push:' || gen_random_uuid(), now(), $9::date, jsonb_build_object('push', pushes) from counted)
insert into usage_metrics (app_id, day, meter, shard, value)
select $1, $9::date, 'push', 0, pushes from counted
on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + excluded.value

-- name: postpone_delivery
-- $1 app  $2 worker  $3 user  $4 device  $5 message  $6 event  $7 who did it  $8 until
update push_deliveries set due_at = $8, claimed_by = null, claimed_until = null
where app_id = $1 and user_id = $3 and device_id = $4 and message_id = $5 and event = $6 and actor_id = $7 and claimed_by = $2
