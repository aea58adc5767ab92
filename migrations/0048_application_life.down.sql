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
  select a.app_id into victim from applications a where a.status = 'deleted' and a.purged_at is null
    and not exists (select from uploads u where u.app_id = a.app_id)
  order by a.app_id limit 1 for update skip locked;
  if not found then return 0; end if;
  for child in select t.name from tenant_tables() t where t.name not in ('applications', 'usage_metrics') loop   -- bills stay
    execute format('delete from %I where ctid = any (array(select ctid from %I where app_id = $1 limit $2)) and app_id = $1',
                   child, child) using victim.app_id, max_rows - removed;
    get diagnostics n = row_count;
    removed := removed + n;
    if removed >= max_rows then return removed; end if;
  end loop;
  update applications set purged_at = now(), settings = '{}' where app_id = victim.app_id;
  return removed + 1;
end $$;

drop function kept_when_deleted();
drop function end_deletions(timestamptz, integer);
drop function list_applications(uuid, text, text, integer);
create function list_applications(after uuid, wanted_status text, max_rows integer) returns setof applications
language sql stable security definer set search_path = public, pg_temp as $$
  select * from applications
  where (after is null or app_id > after) and (wanted_status is null or status = wanted_status)
  order by app_id
  limit least(max_rows, 1000)
$$;
revoke execute on function list_applications(uuid, text, integer) from public;
grant execute on function list_applications(uuid, text, integer) to chat_server;

drop table application_audit;
alter table application_secrets drop column last_used_at;
update applications set status = 'deleted' where status = 'deleting';
alter table applications drop constraint applications_status_check;
alter table applications
  add constraint applications_status_check check (status in ('active', 'suspended', 'deleted')),
  drop column organisation, drop column environment, drop column region, drop column placement, drop column contacts,
  drop column delete_after, drop column status_before, drop column erase;
