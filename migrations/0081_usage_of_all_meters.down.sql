-- The functions as they were.
do $edits$
declare
  edit record;
  made text;
begin
  for edit in
    select * from (values
      ('end_webhooks', 'is_cut, started_at, next_at, counted_on)', 'is_cut, started_at, next_at)'),
      ('end_webhooks', $$body, cut, started_at, again,
      case when outcome = 'succeeded' and trigger <> 'test' then (at at time zone 'UTC')::date end
    from done$$, 'body, cut, started_at, again
    from done'),
      ('end_webhooks', $$  ), by_hour as (
    insert into usage_hours (app_id, hour, meter, value)
    select app_id, date_trunc('hour', at, 'UTC'), 'webhook_deliveries', count(*) from done where outcome = 'succeeded' and trigger <> 'test'
    group by app_id order by app_id
    on conflict (app_id, hour, meter) do update set value = usage_hours.value + excluded.value
  ), metered as ($$, '  ), metered as ('),
      ('sweep_webhooks', $$    with gone as (
      delete from webhook_logs where ctid = any (array(
        select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound limit max_rows - swept))
      returning counted_on
    ), kept as (
      insert into usage_removed (app_id, day, meter, value)
      select endpoint.app_id, counted_on, 'webhook_deliveries', count(*) from gone where counted_on is not null group by counted_on order by counted_on
      on conflict (app_id, day, meter) do update set value = usage_removed.value + excluded.value
    )
    select count(*) into n from gone;$$,
$$    delete from webhook_logs where ctid = any (array(
      select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound limit max_rows - swept));
    get diagnostics n = row_count;$$)) as e (named, was, becomes)
  loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;

delete from usage_flushes where id like 'before:%' or id like 'push:%' or id like 'moderation:%';
alter table webhook_logs drop column counted_on;
drop table usage_removed;
