-- name: month_totals
-- $1 app  $2 first day  $3 first day of the next month  $4 today.  By meter; of peaks the largest of today.
select meter, case when meter = 'peak_connections' then coalesce(max(value) filter (where day = $4), 0) else sum(value) end::bigint
from usage_metrics where app_id = $1 and day >= $2 and day < $3 group by meter
union all
select 'storage_bytes', stored_bytes + reserved_bytes from storage_accounts where app_id = $1

-- name: month_days
-- $1 app  $2 first day  $3 first day of the next month.  By day and meter; shards summed, of peaks the largest.
select day::text, meter, case when meter = 'peak_connections' then max(value) else sum(value) end::bigint
from usage_metrics where app_id = $1 and day >= $2 and day < $3
group by day, meter order by day, meter

-- name: count_active_users
-- $1 app  $2 first day of the month
select count(*) from active_users where app_id = $1 and month = $2

-- name: active_users_by_day
-- $1 app  $2 first day of the month.  Users by the day they were first active on.
select first_day::text, count(*) from active_users where app_id = $1 and month = $2 group by first_day

-- name: team_days
-- $1 app  $2 first day  $3 first day of the next month  $4 team.  By day and meter.
select day::text, meter, sum(value)::bigint from team_usage_metrics
where app_id = $1 and team_id = $4 and day >= $2 and day < $3 group by day, meter order by day, meter

-- name: teamless_days
-- $1 app  $2 first day  $3 first day of the next month.  What of the meters that teams have belongs to none: all less theirs.
select day::text, meter, sum(value)::bigint from (
  select day, meter, value from usage_metrics
  where app_id = $1 and day >= $2 and day < $3 and meter in ('messages', 'api_calls')
  union all
  select day, meter, -value from team_usage_metrics where app_id = $1 and day >= $2 and day < $3) counted
group by day, meter order by day, meter

-- name: team_active_users
-- $1 app  $2 first day of the month  $3 team, or '' for those in none.  By the day they were first active on.
select first_day::text, count(*) from active_users
where app_id = $1 and month = $2 and team_id is not distinct from nullif($3, '') group by first_day
