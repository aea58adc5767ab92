-- What a customer changed of its application is only added to, and forgotten after 400 days. The figures that bills rest on stay, each team's too.
-- Locks: application_audit, exclusively for a moment. Time on 10 million rows: none.

-- What is written stays as it is, for the owner too, until it is old or the application goes.
create function keep_application_audit() returns trigger
language plpgsql as $$
begin
  raise exception 'The audit of an application can only be added to.' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_application_audit before update or truncate on application_audit
for each statement execute function keep_application_audit();
revoke update, delete on application_audit from chat_server;

-- Reason to cross tenants: one job forgets, of all applications, what was changed before `older`. An application's rows are found by their
-- ids, which say when they were made.
create function sweep_application_audit(older timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from application_audit o using (
    select due.app_id, due.id from applications a cross join lateral (
      select e.app_id, e.id from application_audit e where e.app_id = a.app_id and e.id < uuid7_floor(older) order by e.id limit max_rows) due
    limit max_rows) gone
  where o.app_id = gone.app_id and o.id = gone.id;
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_application_audit(timestamptz, integer) from public;
grant execute on function sweep_application_audit(timestamptz, integer) to chat_server;

-- What stays of a deleted application unless it is erased: the tombstone, and what its bills rest on.
create or replace function kept_when_deleted() returns text[]
language sql immutable as $$ select array['applications', 'usage_metrics', 'plan_moves', 'team_usage_metrics'] $$;

-- What its files used up to the end is in the ledger before the account goes.
do $do$
declare
  made text := pg_get_functiondef('purge_deleted'::regproc);
  was constant text := $$  for child in select t.name from tenant_tables() t
               where t.name <> 'applications'$$;
  before constant text := $$  if not victim.erase then
    perform from storage_accounts s where s.app_id = victim.app_id for update;
    if found then perform settle_storage_of(victim.app_id, now()); end if;
  end if;
$$;
begin
  if position(was in made) = 0 then raise exception 'The function purge_deleted does not say: %', was; end if;
  execute replace(made, was, before || was);
end $do$;
