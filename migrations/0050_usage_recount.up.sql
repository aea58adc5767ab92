-- Usage that can be recounted, and seen by the hour. Locks: usage_flushes, for a moment (new columns without a rewrite).
-- Time on 10 million rows: none.

-- What a flush added to the ledger, so that a day can be summed again from its flushes. Null day: from before.
alter table usage_flushes
  add column day date,
  add column counts jsonb not null default '{}';
create index usage_flushes_by_day on usage_flushes (app_id, day);

-- The same work hour by hour. The bill is made from usage_metrics; this is for looking.
create table usage_hours (
  app_id uuid not null references applications (app_id),
  hour timestamptz not null,
  meter text not null,
  value bigint not null check (value >= 0),
  primary key (app_id, hour, meter)
) with (fillfactor = 50);
select make_tenant_table('usage_hours');

-- Reason to cross tenants: as before; hours go after 100 days.
create or replace function sweep_usage_flushes(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
  hours integer;
begin
  delete from usage_flushes where ctid = any (array(
    select ctid from usage_flushes where flushed_at < now() - interval '7 days' limit max_rows));
  get diagnostics swept = row_count;
  delete from usage_hours where ctid = any (array(
    select ctid from usage_hours where hour < now() - interval '100 days' limit max_rows));
  get diagnostics hours = row_count;
  return swept + hours;
end $$;
