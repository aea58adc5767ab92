-- What is purged with a channel, an application or a user is read from the catalogue, so that no new table is forgotten.
-- Locks: none (functions). Time on 10 million rows: none.

-- Every tenant table, those that refer to others before those that they refer to. `channel_column` and `user_column`: of the
-- foreign keys to channels and to users, where `user_id` is the one whose row it is (not who made or changed it).
create function tenant_tables() returns table (name text, channel_column text, user_column text)
language sql stable as $$
  with recursive tenant as (
    select c.oid, c.relname from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'app_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  ), depth as (
    select oid, 0 as level from tenant
    union
    select k.conrelid, d.level + 1 from depth d
    join pg_constraint k on k.contype = 'f' and k.confrelid = d.oid and k.conrelid <> k.confrelid
    join tenant t on t.oid = k.conrelid
    where d.level < 16
  ), referring as (
    select k.conrelid as oid, k.confrelid, a.attname from pg_constraint k
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[2]
    where k.contype = 'f' and k.confrelid in ('channels'::regclass, 'users'::regclass)
  )
  select t.relname::text,
    (select r.attname::text from referring r
     where r.oid = t.oid and r.confrelid = 'channels'::regclass and r.attname = 'channel_id'),
    (select r.attname::text from referring r where r.oid = t.oid and r.confrelid = 'users'::regclass and r.attname = 'user_id')
  from tenant t join depth d on d.oid = t.oid
  group by t.oid, t.relname
  order by max(d.level) desc, t.relname
$$;

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

-- Reason to cross tenants: one job erases what hard deleted users of all applications left. A message keeps its row and
-- number, so that no client sees a hole; its content goes. One call looks at max_rows messages of one channel, by their primary
-- key, or before that at max_rows rows of one table that hang on the user. Messages and memberships stay, for the numbers.
-- Returns the steps done; 0: nothing left to do.
create or replace function erase_deleted_users(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erasure user_erasures;
  slice uuid[];
  child text;
  removed integer;
begin
  select * into erasure from user_erasures order by requested_at limit 1 for update skip locked;
  if not found then return 0; end if;
  if erasure.channel_id is null then
    for child in select t.name from tenant_tables() t
                 where t.user_column is not null and t.name not in ('messages', 'channel_members', 'user_erasures') loop
      execute format('delete from %I where ctid = any (array(select ctid from %I where app_id = $1 and user_id = $2 limit $3))
                      and app_id = $1 and user_id = $2', child, child)
        using erasure.app_id, erasure.user_id, max_rows;
      get diagnostics removed = row_count;
      if removed > 0 then return 1; end if;
    end loop;
  end if;
  slice := array(select id from messages
                 where app_id = erasure.app_id and channel_id = erasure.channel_id and id > erasure.after_message
                 order by id limit max_rows);
  if cardinality(slice) = 0 then
    update user_erasures set after_message = default, channel_id = (
      select c.id from channels c
      where c.app_id = erasure.app_id and (erasure.channel_id is null or c.id > erasure.channel_id)
      order by c.id limit 1)
    where app_id = erasure.app_id and user_id = erasure.user_id
    returning * into erasure;
    if erasure.channel_id is null then
      delete from user_erasures where app_id = erasure.app_id and user_id = erasure.user_id;
    end if;
    return 1;
  end if;
  with erased as (
    update messages set text = '', attachments = null, mentions = null, custom = null, nonce = null, erased = true,
      deleted_at = coalesce(deleted_at, now())
    where app_id = erasure.app_id and channel_id = erasure.channel_id and id = any (slice)
      and user_id = erasure.user_id and not messages.erased
    returning message_seq)
  insert into message_deletions (app_id, channel_id, message_seq)
  select erasure.app_id, erasure.channel_id, message_seq from erased where message_seq is not null
  on conflict do nothing;
  update user_erasures set after_message = slice[cardinality(slice)]
  where app_id = erasure.app_id and user_id = erasure.user_id;
  return 1;
end $$;
