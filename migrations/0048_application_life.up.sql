-- An application's life: deleted after a waiting time, restored meanwhile, erased without a trace; whose it is and where it runs;
-- when its secrets were used; what its customer changed.
-- Locks: applications and application_secrets, exclusively for a moment. Time on 10 million rows: seconds (a check is proved).

alter table applications drop constraint applications_status_check;
alter table applications
  add constraint applications_status_check check (status in ('active', 'suspended', 'deleting', 'deleted')),
  add column organisation text check (octet_length(organisation) between 1 and 255),
  add column environment text check (environment ~ '^[a-z0-9-]{1,32}$'),   -- development, production
  add column region text check (region ~ '^[a-z0-9-]{1,64}$'),
  add column placement jsonb not null default '{}',      -- the operator's own labels: {"cluster": "eu-1"}
  add column contacts jsonb not null default '[]',       -- [{"name", "email", "role"}]
  add column delete_after timestamptz,                   -- of deleting: then it is deleted
  add column status_before text,                         -- of deleting: what restoring gives back
  add column erase boolean not null default false;       -- of deleted: nothing of it stays, not its bills either

alter table application_secrets add column last_used_at timestamptz;   -- to ten minutes

-- What the customer changed itself, with a server token.
create table application_audit (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  at timestamptz not null,
  action text not null,                        -- settings.update
  object text not null,                        -- settings, secret:sec_…
  before jsonb,
  after jsonb,
  address text not null,
  request_id text not null,
  primary key (app_id, id)
);
select make_tenant_table('application_audit');

drop function list_applications(uuid, text, integer);
-- Reason to cross tenants: the operator lists its applications; jobs walk them. Always paged.
create function list_applications(after uuid, wanted_status text, wanted_organisation text, max_rows integer) returns setof applications
language sql stable security definer set search_path = public, pg_temp as $$
  select * from applications
  where (after is null or app_id > after) and (wanted_status is null or status = wanted_status)
    and (wanted_organisation is null or organisation = wanted_organisation)
  order by app_id
  limit least(max_rows, 1000)
$$;
revoke execute on function list_applications(uuid, text, text, integer) from public;
grant execute on function list_applications(uuid, text, text, integer) to chat_server;

-- Reason to cross tenants: one job ends the waiting time of all applications.
create function end_deletions(due timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  ended integer;
begin
  update applications set status = 'deleted', status_before = null where app_id in (
    select app_id from applications where status = 'deleting' and delete_after <= due limit max_rows for no key update skip locked);   -- beside flushes, which hold the key
  get diagnostics ended = row_count;
  return ended;
end $$;
revoke execute on function end_deletions(timestamptz, integer) from public;
grant execute on function end_deletions(timestamptz, integer) to chat_server;

-- What stays of a deleted application unless it is erased: the tombstone, and what its bills rest on.
create function kept_when_deleted() returns text[]
language sql immutable as $$ select array['applications', 'usage_metrics'] $$;

-- Reason to cross tenants: one job empties deleted channels and deleted applications, in slices, whoever owned them.
-- The rows of uploads wait for their files: they are made due, and an application is purged when none is left.
-- Returns the rows removed; 0: nothing left to do.
create or replace function purge_deleted(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  victim record;
  removed integer := 0;
  n integer;
  child text;
begin
  select c.app_id, c.id into victim from channels c join applications a on a.app_id = c.app_id
  where (c.deleted_at is not null or a.status = 'deleted') and c.purged_at is null
  order by c.app_id, c.id limit 1 for update of c skip locked;
  if found then
    for child in select t.name from tenant_tables() t where t.channel_column is not null loop
      execute format('delete from %I where ctid = any (array(select ctid from %I where app_id = $1 and channel_id = $2 limit $3))
                      and app_id = $1 and channel_id = $2', child, child)
        using victim.app_id, victim.id, max_rows - removed;
      get diagnostics n = row_count;
      removed := removed + n;
      if removed >= max_rows then return removed; end if;
    end loop;
    update channels set purged_at = now(), name = null, image = null, description = null, custom = '{}', created_by = null
    where app_id = victim.app_id and id = victim.id;
    return removed + 1;
  end if;

  for victim in select a.app_id from applications a where a.status = 'deleted' and a.purged_at is null
                and exists (select from uploads u where u.app_id = a.app_id) loop
    update uploads set delete_after = now() where ctid = any (array(
      select ctid from uploads where app_id = victim.app_id and (delete_after is null or delete_after > now()) limit max_rows))
      and app_id = victim.app_id;
    get diagnostics n = row_count;
    if n > 0 then return n; end if;
  end loop;
  select a.app_id, a.erase into victim from applications a where a.status = 'deleted' and a.purged_at is null
    and not exists (select from uploads u where u.app_id = a.app_id)
  order by a.app_id limit 1 for update skip locked;
  if not found then return 0; end if;
  for child in select t.name from tenant_tables() t
               where t.name <> 'applications' and (victim.erase or t.name <> all (kept_when_deleted())) loop
    execute format('delete from %I where ctid = any (array(select ctid from %I where app_id = $1 limit $2)) and app_id = $1',
                   child, child) using victim.app_id, max_rows - removed;
    get diagnostics n = row_count;
    removed := removed + n;
    if removed >= max_rows then return removed; end if;
  end loop;
  if victim.erase then
    delete from applications where app_id = victim.app_id;
  else
    update applications set purged_at = now(), settings = '{}', contacts = '[]' where app_id = victim.app_id;
  end if;
  return removed + 1;
end $$;
