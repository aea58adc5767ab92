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
    foreach child in array array['messages', 'message_nonces', 'message_deletions', 'mentions', 'channel_events',
                                 'channel_members', 'channel_heads'] loop
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
  foreach child in array array['user_erasures', 'channels', 'channel_types', 'users', 'user_revocations', 'application_secrets',
                               'idempotency_keys', 'outbox', 'active_users', 'usage_flushes'] loop
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
-- key, or at the end at max_rows rows of one table that hang on the user. Messages and memberships stay, for the numbers.
-- Returns the steps done; 0: nothing left to do.
create or replace function erase_deleted_users(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erasure user_erasures;
  slice uuid[];
begin
  select * into erasure from user_erasures order by requested_at limit 1 for update skip locked;
  if not found then return 0; end if;
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
      delete from mentions where app_id = erasure.app_id and user_id = erasure.user_id;
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

drop function tenant_tables();
