-- name: recount_messages
-- $1 app  $2 day  $3 its start  $4 its end.  The third: nothing of that day was removed for good.
select (select coalesce(sum(value), 0)::bigint from usage_metrics where app_id = $1 and day = $2 and meter = 'messages'),
  (select count(*) from messages where app_id = $1 and id >= uuid7_floor($3::timestamptz - interval '1 hour') and id < uuid7_floor($4::timestamptz + interval '1 hour')
     and created_at >= $3 and created_at < $4),
  not exists (select from channels where app_id = $1 and truncated_message_id >= uuid7_floor($3::timestamptz - interval '1 hour'))

-- name: recount_active_users
-- $1 app  $2 day  $3 its start  $4 its end  $5 first day of the month.  Who was last active on the day and has no row of the month is missing.
select (select count(*) from active_users where app_id = $1 and month = $5 and first_day = $2),
  (select count(*) from active_users where app_id = $1 and month = $5 and first_day = $2)
  + (select count(*) from users u where u.app_id = $1 and u.last_active_at >= $3 and u.last_active_at < $4
     and not exists (select from active_users a where a.app_id = $1 and a.month = $5 and a.user_id = u.user_id))

-- name: recount_flushes
-- $1 app  $2 day  $3 meter
select (select coalesce(sum(value), 0)::bigint from usage_metrics where app_id = $1 and day = $2 and meter = $3),
  (select coalesce(sum((counts ->> $3)::bigint), 0)::bigint from usage_flushes where app_id = $1 and day = $2)

-- name: recount_storage
-- $1 app.  Begun files count as they were announced.
select (select coalesce(sum(stored_bytes + reserved_bytes), 0)::bigint from storage_accounts where app_id = $1),
  (select coalesce(sum(size_bytes), 0)::bigint from uploads where app_id = $1 and state in ('pending', 'ready'))

-- name: day_hours
-- $1 app  $2 start of the day  $3 its end
select hour, meter, value from usage_hours where app_id = $1 and hour >= $2 and hour < $3 order by hour, meter

-- name: recount_webhooks
-- $1 app  $2 day  $3 its start  $4 its end.  Attempts whose success was counted, and what removed ones were counted as.
select (select coalesce(sum(value), 0)::bigint from usage_metrics where app_id = $1 and day = $2 and meter = 'webhook_deliveries'),
  (select count(*) from webhook_logs where app_id = $1 and counted_on = $2 and started_at >= $3::timestamptz - interval '1 hour'
     and started_at < $4::timestamptz + interval '1 hour')
  + (select coalesce(sum(value), 0)::bigint from usage_removed where app_id = $1 and day = $2 and meter = 'webhook_deliveries')

-- name: recount_campaigns
-- $1 app  $2 day  $3 its start  $4 its end.  Recipients who were sent to, and what those of deleted campaigns were counted as.
select (select coalesce(sum(value), 0)::bigint from usage_metrics where app_id = $1 and day = $2 and meter = 'campaign_recipients'),
  (select count(*) from campaigns c join campaign_recipients r on r.app_id = c.app_id and r.campaign_id = c.id
     where c.app_id = $1 and c.started_at < $4 and r.state = 'sent' and r.sent_at >= $3 and r.sent_at < $4)
  + (select coalesce(sum(value), 0)::bigint from usage_removed where app_id = $1 and day = $2 and meter = 'campaign_recipients')

-- name: came_later
-- $1 app  $2 start of the day.  Whether it came in by an import after that: what flushes and webhooks noted stayed where it was.
select exists (select from applications a, lateral (select min(m.moved_at) as at from plan_moves m where m.app_id = a.app_id) first
  where a.app_id = $1 and first.at > a.created_at + interval '1 hour' and first.at > $2)
