-- Who was told of a limit's marks, and when. Locks: none (a new table). Time on 10 million rows: none.

-- A mark of a limit that an application passed: once per meter, period, level and limit, so that a larger limit is told of anew.
create table limit_alerts (
  app_id uuid not null references applications (app_id),
  meter text not null,
  period text not null,                          -- 2026-11, or 2026-11-28 for peak_connections
  level text not null check (level in ('warning', 'overage', 'hard')),
  mark bigint not null,                          -- the limit: its included, of hard its hard
  id uuid not null,
  value bigint not null,
  included bigint,
  hard bigint,
  noticed_at timestamptz not null,
  primary key (app_id, meter, period, level, mark)
);
create index limit_alerts_by_time on limit_alerts (app_id, id);
select make_tenant_table('limit_alerts');

-- Reason to cross tenants: the operator sees who is near a limit. Newest first, always paged.
create function list_limit_alerts(wanted uuid, before uuid, max_rows integer) returns setof limit_alerts
language sql stable security definer set search_path = public, pg_temp as $$
  select * from limit_alerts where (wanted is null or app_id = wanted) and (before is null or id < before)
  order by id desc limit least(max_rows, 1000)
$$;
revoke execute on function list_limit_alerts(uuid, uuid, integer) from public;
grant execute on function list_limit_alerts(uuid, uuid, integer) to chat_server;
