-- What every tenant table rests on: the row-level security of one application, the idempotency keys, the outbox.
-- Locks: none (new tables). Time on 10 million rows: none.

-- Makes a table a tenant table. The server's role sees and writes only rows of the application that its transaction
-- acts for (chat.app_id, set for the transaction alone); without the setting it sees nothing. FORCE subjects the owner
-- too, so the owner has a policy of its own: it is what the few SECURITY DEFINER functions run as.
create function make_tenant_table(tenant_table regclass) returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', tenant_table);
  execute format('alter table %s force row level security', tenant_table);
  execute format(
    'create policy tenant on %s using (app_id = nullif(current_setting(''chat.app_id'', true), '''')::uuid)',
    tenant_table);
  execute format('create policy owner on %s to chat_owner using (true)', tenant_table);
  execute format('grant select, insert, update, delete on %s to chat_server', tenant_table);
end $$;
revoke execute on function make_tenant_table(regclass) from public;

-- The answer of each POST that carried an Idempotency-Key, for 24 hours.
-- The operator's own calls keep theirs under the nil application.
create table idempotency_keys (
  app_id uuid not null,
  principal text not null,
  operation text not null,
  key text not null,
  fingerprint bytea not null,
  status integer not null,
  content_type text not null,
  body text not null,
  created_at timestamptz not null,
  primary key (app_id, principal, operation, key)
);
select make_tenant_table('idempotency_keys');

-- Reason to cross tenants: one job forgets old keys of all applications, in slices, without knowing them.
create function sweep_idempotency_keys(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from idempotency_keys where ctid = any (array(
    select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_idempotency_keys(integer) from public;
grant execute on function sweep_idempotency_keys(integer) to chat_server;

-- Events for subscribers outside (webhooks), written in the transaction of the change. References, never bodies:
-- what is erased later is gone from here too.
create table outbox (
  app_id uuid not null,
  id uuid not null,
  type text not null,
  channel_id uuid,
  seq bigint,
  message_id uuid,
  user_id text,
  created_at timestamptz not null,
  primary key (app_id, id)
);
select make_tenant_table('outbox');

-- Reason to cross tenants: one job bounds the outbox of all applications.
create function sweep_outbox(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from outbox where ctid = any (array(
    select ctid from outbox where created_at < now() - interval '3 days' limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_outbox(integer) from public;
grant execute on function sweep_outbox(integer) to chat_server;
