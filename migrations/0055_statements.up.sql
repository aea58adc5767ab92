-- Statements, credits, and what other billing systems take.
-- Locks: none (new tables). Time on 10 million rows: none.

-- Shared: one row that counts the service's final statements; locked until the commit of each, so that no number is left out.
create table statement_numbers (
  single boolean primary key default true check (single),
  last bigint not null
);
insert into statement_numbers (last) values (0);
grant select, update on statement_numbers to chat_server;

-- What was said to a customer once, as it was said. A draft is computed, never stored.
create table statements (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  number bigint not null,                        -- of the service that made it; one that came in by an import brings another's
  period date not null,                          -- first day of the month
  state text not null check (state in ('final', 'void')),
  name text not null,                            -- the application's, then
  currency text not null,
  used bigint not null,                          -- plan and overage, in minor units: what later usage is compared with
  total bigint not null check (total >= 0),
  lines jsonb not null,
  overrides jsonb not null,                      -- the application's, that it was computed with
  finalized_at timestamptz not null,
  voided_at timestamptz,
  void_reason text,
  primary key (app_id, id)
);
create unique index statements_final_key on statements (app_id, period) where state = 'final';
select make_tenant_table('statements');

create table credits (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  amount bigint not null check (amount > 0),     -- minor units
  remaining bigint not null check (remaining >= 0),
  reason text not null,
  created_at timestamptz not null,
  primary key (app_id, id),
  check (remaining <= amount)
);
select make_tenant_table('credits');

-- Reason to cross tenants: one job finalises the month of every application. Those that were on a plan in it, some at a time; purged ones,
-- too, as what their bills rest on is kept.
create function applications_without_statement(wanted date, after uuid, max_rows integer) returns table (app_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select a.app_id from applications a
  where (after is null or a.app_id > after) and not a.erase
    and exists (select from plan_moves m where m.app_id = a.app_id and m.moved_at < (wanted + interval '1 month')::timestamp at time zone 'UTC')
    and (a.status not in ('deleting', 'deleted') or a.updated_at >= wanted::timestamp at time zone 'UTC')
    and not exists (select from statements s where s.app_id = a.app_id and s.period = wanted)
  order by a.app_id limit least(max_rows, 1000)
$$;
revoke execute on function applications_without_statement(date, uuid, integer) from public;
grant execute on function applications_without_statement(date, uuid, integer) to chat_server;

-- Reason to cross tenants: the operator reads the statements of all applications. Newest first, always paged.
create function list_statements(wanted date, before uuid, max_rows integer) returns setof statements
language sql stable security definer set search_path = public, pg_temp as $$
  select * from statements where (wanted is null or period = wanted) and (before is null or id < before)
  order by id desc limit least(max_rows, 1000)
$$;
revoke execute on function list_statements(date, uuid, integer) from public;
grant execute on function list_statements(date, uuid, integer) to chat_server;

-- Reason to cross tenants: external billing systems take the usage of all applications. One day, always paged.
create function export_usage(wanted date, after_app uuid, after_meter text, max_rows integer)
returns table (app_id uuid, meter text, value bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select u.app_id, u.meter, u.value from (
    select m.app_id, m.meter, case when m.meter = 'peak_connections' then max(m.value) else sum(m.value) end::bigint as value
    from usage_metrics m where m.day = wanted and (after_app is null or m.app_id >= after_app) group by m.app_id, m.meter
    union all
    select a.app_id, 'active_users', count(*) from active_users a
    where a.month = date_trunc('month', wanted)::date and a.first_day = wanted and (after_app is null or a.app_id >= after_app)
    group by a.app_id) u
  where after_app is null or (u.app_id, u.meter) > (after_app, after_meter)
  order by u.app_id, u.meter limit least(max_rows, 1000)
$$;
revoke execute on function export_usage(date, uuid, text, integer) from public;
grant execute on function export_usage(date, uuid, text, integer) to chat_server;

-- Books are kept when an application is deleted.
do $edit$
declare
  made text := pg_get_functiondef('kept_when_deleted'::regproc);
begin
  if position($$'plan_moves'$$ in made) = 0 then raise exception 'The function kept_when_deleted has no plan_moves'; end if;
  execute replace(made, $$'plan_moves'$$, $$'plan_moves', 'statements', 'credits'$$);
end $edit$;
