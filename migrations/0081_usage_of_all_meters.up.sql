-- Every meter of the bill can be counted again: webhook deliveries from their logs, campaigns' recipients from their rows, push and
-- moderation from what was noted when they were counted.
-- Locks: webhook_logs, exclusively for a moment (a column without a default). Time on 10 million rows: seconds (the ledger is read once).

-- What rows that are gone for good were counted as. Kept as long as the ledger.
create table usage_removed (
  app_id uuid not null references applications (app_id),
  day date not null,
  meter text not null,
  value bigint not null check (value > 0),
  primary key (app_id, day, meter)
);
select make_tenant_table('usage_removed');

alter table webhook_logs add column counted_on date;     -- the day of the ledger that it is in; null: it was not counted

-- What was counted before this migration left nothing that says on which day.
insert into usage_removed (app_id, day, meter, value)
select u.app_id, u.day, u.meter, sum(u.value) from usage_metrics u join applications a on a.app_id = u.app_id and a.purged_at is null
where u.meter = 'webhook_deliveries' group by u.app_id, u.day, u.meter having sum(u.value) > 0;
insert into usage_flushes (app_id, id, flushed_at, day, counts)
select u.app_id, 'before:' || u.meter || ':' || u.day, now(), u.day, jsonb_build_object(u.meter, sum(u.value))
from usage_metrics u join applications a on a.app_id = u.app_id and a.purged_at is null
where u.meter in ('push', 'moderation_calls') and u.day > (now() at time zone 'UTC')::date - 8 group by u.app_id, u.day, u.meter;

do $edits$
declare
  edit record;
  made text;
begin
  for edit in
    select * from (values
      ('end_webhooks', 'is_cut, started_at, next_at)', 'is_cut, started_at, next_at, counted_on)'),
      ('end_webhooks', 'body, cut, started_at, again
    from done', $$body, cut, started_at, again,
      case when outcome = 'succeeded' and trigger <> 'test' then (at at time zone 'UTC')::date end
    from done$$),
      ('end_webhooks', '  ), metered as (', $$  ), by_hour as (
    insert into usage_hours (app_id, hour, meter, value)
    select app_id, date_trunc('hour', at, 'UTC'), 'webhook_deliveries', count(*) from done where outcome = 'succeeded' and trigger <> 'test'
    group by app_id order by app_id
    on conflict (app_id, hour, meter) do update set value = usage_hours.value + excluded.value
  ), metered as ($$),
      ('sweep_webhooks', $$    delete from webhook_logs where ctid = any (array(
      select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound limit max_rows - swept));
    get diagnostics n = row_count;$$,
$$    with gone as (
      delete from webhook_logs where ctid = any (array(
        select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound limit max_rows - swept))
      returning counted_on
    ), kept as (
      insert into usage_removed (app_id, day, meter, value)
      select endpoint.app_id, counted_on, 'webhook_deliveries', count(*) from gone where counted_on is not null group by counted_on order by counted_on
      on conflict (app_id, day, meter) do update set value = usage_removed.value + excluded.value
    )
    select count(*) into n from gone;$$)) as e (named, was, becomes)
  loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
