-- name: insert_system_message
-- $1 app  $2 channel  $3 id  $4 author  $5 text  $6 custom  $7 now  $8 day.  Its number, and the epoch.
with numbered as (
  update channel_heads set last_seq = last_seq + 1, last_message_id = $3, last_message_at = $7
  where app_id = $1 and channel_id = $2 returning last_seq, epoch
), written as (
  insert into messages (app_id, channel_id, id, seq, user_id, type, text, custom, created_at)
  select $1, $2, $3, last_seq, $4, 'system', $5, $6::jsonb, $7 from numbered
), metered as (
  insert into usage_metrics (app_id, day, meter, shard, value) values ($1, $8::date, 'messages', 0, 1)
  on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + 1
), metered_by_team as (
  insert into team_usage_metrics (app_id, team_id, day, meter, shard, value)
  select $1, c.team, $8::date, 'messages', 0, 1 from channels c where c.app_id = $1 and c.id = $2 and c.team is not null
  on conflict (app_id, team_id, day, meter, shard) do update set value = team_usage_metrics.value + 1
), boxed as (
  insert into outbox (app_id, id, type, channel_id, seq, message_id, created_at)
  select $1, $3, 'message.new', $2, last_seq, $3, $7 from numbered
  where exists (select 1 from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, 'message.new'))
)
select last_seq, epoch from numbered
