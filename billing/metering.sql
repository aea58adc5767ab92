-- name: begin_flush
-- $1 app  $2 flush id  $3 now  $4 day  $5 meters[]  $6 values[].  No row: this flush was counted already, or the application was purged meanwhile.
insert into usage_flushes (app_id, id, flushed_at, day, counts)
select app_id, $2, $3, $4, coalesce((select jsonb_object_agg(meter, value) from unnest($5::text[], $6::bigint[]) as counted (meter, value)), '{}')
from applications where app_id = $1 and purged_at is null for key share on conflict do nothing returning id

-- name: add_hour
-- $1 app  $2 hour  $3 meters[]  $4 values[]
insert into usage_hours (app_id, hour, meter, value)
select $1, $2, meter, value from unnest($3::text[], $4::bigint[]) as counted (meter, value)
on conflict (app_id, hour, meter) do update set value = usage_hours.value + excluded.value

-- name: add_counts
-- $1 app  $2 day  $3 meters[]  $4 values[]
insert into usage_metrics (app_id, day, meter, shard, value)
select $1, $2::date, meter, 0, value from unnest($3::text[], $4::bigint[]) as counted (meter, value)
on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + excluded.value

-- name: raise_peak
-- $1 app  $2 day  $3 peak of connections
insert into usage_metrics (app_id, day, meter, shard, value) values ($1, $2, 'peak_connections', 0, $3)
on conflict (app_id, day, meter, shard) do update set value = greatest(usage_metrics.value, excluded.value)

-- name: add_team_calls
-- $1 app  $2 day  $3 users[]  $4 calls[].  Whoever is in several teams counts in the first by name.
insert into team_usage_metrics (app_id, team_id, day, meter, shard, value)
select $1, team, $2::date, 'api_calls', 0, sum(calls) from (
  select (select min(k collate "C") from jsonb_object_keys(u.teams) k) as team, c.calls from unnest($3::text[], $4::bigint[]) as c (user_id, calls)
  join users u on u.app_id = $1 and u.user_id = c.user_id) counted
where team is not null group by team order by team
on conflict (app_id, team_id, day, meter, shard) do update set value = team_usage_metrics.value + excluded.value

-- name: add_active_users
-- $1 app  $2 month  $3 day  $4 users[].  Those who are new this month, each in the first of its teams by name.
insert into active_users (app_id, month, user_id, first_day, team_id)
select $1, $2::date, active.user_id, $3::date, (select min(k collate "C") from users u, jsonb_object_keys(u.teams) k
                                                where u.app_id = $1 and u.user_id = active.user_id)
from unnest($4::text[]) as active (user_id)
on conflict do nothing

-- name: touch_users
-- $1 app  $2 users[]  $3 now
update users set last_active_at = $3 where app_id = $1 and user_id = any ($2::text[])

-- name: lock_active_users
-- $1 app.  Until the end of the transaction nobody else decides who becomes active.
select pg_advisory_xact_lock(hashtextextended('active_users ' || $1::text, 0))

-- name: is_active_user
-- $1 app  $2 first day of the month  $3 user
select exists (select from active_users where app_id = $1 and month = $2 and user_id = $3)

-- name: count_active
-- $1 app  $2 first day of the month
select count(*) from active_users where app_id = $1 and month = $2

-- name: lock_holds
-- $1 app  $2 meter.  Until the end of the transaction nobody else holds of it.
select pg_advisory_xact_lock(hashtextextended('usage_holds ' || $2::text || ' ' || $1::text, 0))

-- name: end_stale_holds
-- $1 app  $2 meter  $3 now
delete from usage_holds where app_id = $1 and meter = $2 and held_until <= $3

-- name: counted_and_held
-- $1 app  $2 meter  $3 first day of the month  $4 of the next.  One row: what of the month is in the ledger, and what is on its way.
select (select coalesce(sum(value), 0)::bigint from usage_metrics where app_id = $1 and meter = $2 and day >= $3::date and day < $4::date),
  (select coalesce(sum(value), 0)::bigint from usage_holds where app_id = $1 and meter = $2)

-- name: insert_hold
-- $1 app  $2 id  $3 meter  $4 value  $5 until
insert into usage_holds (app_id, id, meter, value, held_until) values ($1, $2, $3, $4, $5)

-- name: end_hold
-- $1 app  $2 id
delete from usage_holds where app_id = $1 and id = $2
