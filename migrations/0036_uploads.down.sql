drop trigger keep_upload_uses on messages;
drop trigger keep_changed_upload_uses on messages;
drop trigger forget_upload_uses on messages;
drop function forget_upload_uses();
drop trigger keep_upload_uses on scheduled_messages;
drop trigger forget_uploads_of_user on user_erasures;
drop function keep_upload_uses();
drop function keep_scheduled_upload_uses();
drop function hold_uploads(uuid, uuid, uuid, jsonb, uuid);
drop function forget_uploads_of_user();
drop table upload_uses;
drop function forget_upload_use();
drop function upload_uuid(text);
drop function due_uploads(timestamptz, integer);
drop table uploads;
drop function settle_storage(integer);
drop function move_storage(uuid, bigint, bigint, bigint, timestamptz);
drop function settle_storage_of(uuid, timestamptz);
drop table storage_accounts;

-- Reason to cross tenants: one job empties deleted channels and deleted applications, in slices, whoever owned them.
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

  select a.app_id into victim from applications a where a.status = 'deleted' and a.purged_at is null
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
