-- The ledger of usage. Locks: none (new tables). Time on 10 million rows: none.

-- One row per application, day, meter and shard; a writer picks its shard so that two lanes of one application
-- do not wait for each other. A reader sums the shards (peak_connections: the largest).
create table usage_metrics (
  app_id uuid not null references applications (app_id),
  day date not null,
  meter text not null,
  shard smallint not null,
  value bigint not null check (value >= 0),
  primary key (app_id, day, meter, shard)
) with (fillfactor = 50);
select make_tenant_table('usage_metrics');

-- High-rate counters are summed in memory and flushed under a deterministic id; the same id counts once.
create table usage_flushes (
  app_id uuid not null references applications (app_id),
  id text not null,
  flushed_at timestamptz not null,
  primary key (app_id, id)
);
select make_tenant_table('usage_flushes');

-- Monthly active users, exactly: a user who connected or acted in the month (UTC) has a row.
create table active_users (
  app_id uuid not null references applications (app_id),
  month date not null,
  user_id text not null,
  first_day date not null,
  primary key (app_id, month, user_id)
);
select make_tenant_table('active_users');

-- Reason to cross tenants: one job forgets the flush ids of all applications once no repeat can come.
create function sweep_usage_flushes(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from usage_flushes where ctid = any (array(
    select ctid from usage_flushes where flushed_at < now() - interval '7 days' limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_usage_flushes(integer) from public;
grant execute on function sweep_usage_flushes(integer) to chat_server;
