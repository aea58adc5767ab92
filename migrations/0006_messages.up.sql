-- Messages, a partition a month on the UUIDv7 id, and what hangs on them.
-- Locks: none (new tables). Time on 10 million rows: none.

create table messages (
  app_id uuid not null,
  channel_id uuid not null,
  id uuid not null,
  seq bigint not null,
  message_seq bigint,                          -- null: not countable (a reply in its thread, silent, system)
  user_id uuid not null,
  type text not null check (type in ('regular', 'system')),
  text text not null,
  attachments jsonb,
  mentions jsonb,                              -- user ids, as sent
  custom jsonb,
  parent_id uuid,
  show_in_channel boolean not null default false,
  quoted_id uuid,
  reply_count integer not null default 0,
  silent boolean not null default false,
  nonce text,
  created_at timestamptz not null,
  updated_at timestamptz,
  deleted_at timestamptz,
  erased boolean not null default false,       -- hard deleted: the row keeps its number, its content is gone
  primary key (app_id, channel_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
) partition by range (id);
create index messages_replies on messages (app_id, channel_id, parent_id, id) where parent_id is not null;
select make_tenant_table('messages');

-- First UUIDv7 of a moment's millisecond: the bounds of partitions.
create function uuid7_floor(at timestamptz) returns uuid
language sql immutable as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

-- Reason to run as the owner: the server's role owns nothing and may not create tables. Idempotent.
-- No DEFAULT partition: a row that fits nowhere is an error that shows, not a partition that can't be detached.
create function create_message_partitions(from_month date, months integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  made integer := 0;
  month_start timestamptz;
  partition_name text;
begin
  perform pg_advisory_xact_lock(hashtext('create_message_partitions'));
  for i in 0 .. least(months, 36) - 1 loop
    month_start := (date_trunc('month', from_month::timestamp) + make_interval(months => i)) at time zone 'UTC';
    partition_name := 'messages_' || to_char(month_start at time zone 'UTC', 'YYYY_MM');
    if to_regclass(partition_name) is null then
      execute format('create table %I partition of messages for values from (%L) to (%L)', partition_name,
        uuid7_floor(month_start), uuid7_floor((month_start at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
      execute format('alter table %I enable row level security', partition_name);
      execute format('alter table %I force row level security', partition_name);
      execute format('create policy owner on %I to chat_owner using (true)', partition_name);
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
revoke execute on function create_message_partitions(date, integer) from public;
grant execute on function create_message_partitions(date, integer) to chat_server;
select create_message_partitions((date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date, 6);

-- One row per nonce that a client used: the same nonce gives the same message.
create table message_nonces (
  app_id uuid not null,
  channel_id uuid not null,
  user_id uuid not null,
  nonce text not null,
  message_id uuid not null,
  fingerprint bytea not null,                  -- of what was sent; other content under the same nonce is refused
  created_at timestamptz not null,
  primary key (app_id, channel_id, user_id, nonce),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('message_nonces');

-- Numbers of countable messages that were deleted: unread subtracts those above a watermark.
create table message_deletions (
  app_id uuid not null,
  channel_id uuid not null,
  message_seq bigint not null,
  primary key (app_id, channel_id, message_seq),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('message_deletions');

-- Who was mentioned; only the mentioned get a row.
create table mentions (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  message_seq bigint,
  primary key (app_id, user_id, channel_id, message_id),
  foreign key (app_id, user_id) references users (app_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('mentions');

-- A member as the API shows it. Unread is arithmetic: the countable messages behind the watermark (or since joining),
-- less those deleted meanwhile. It costs the same at any number of members and messages.
create view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - coalesce(m.read_message_seq, m.joined_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > coalesce(m.read_message_seq, m.joined_message_seq)), 0) as unread,
       h.last_message_seq
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;
grant select on members_shown to chat_server;

-- A message as the API shows it: a deleted one without its content, an erased one without its author.
create view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when m.deleted_at is null then m.text else '' end as text,
       case when m.deleted_at is null then m.attachments::text end as attachments,
       case when m.deleted_at is null then m.mentions::text end as mentions,
       case when m.deleted_at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, m.deleted_at, m.erased, m.user_id as author
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;
grant select on messages_shown to chat_server;

-- Users deleted for good, whose messages a job is erasing, channel by channel.
create table user_erasures (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid,                             -- the channel that is being worked on; null: none yet
  after_message uuid not null default '00000000-0000-0000-0000-000000000000',   -- its messages up to this id are done
  requested_at timestamptz not null,
  primary key (app_id, user_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('user_erasures');

-- Reason to cross tenants: one job erases the messages of hard deleted users of all applications. A message keeps its
-- row and number, so that no client sees a hole; its content goes. One call looks at max_rows messages of one channel, by
-- their primary key: a large channel takes more calls, never a longer one. Returns the steps done; 0: nothing left to do.
create function erase_deleted_users(max_rows integer) returns integer
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
revoke execute on function erase_deleted_users(integer) from public;
grant execute on function erase_deleted_users(integer) to chat_server;

-- Reason to cross tenants: one job forgets old nonces of all applications.
create function sweep_message_nonces(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from message_nonces where ctid = any (array(
    select ctid from message_nonces where created_at < now() - interval '7 days' limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_message_nonces(integer) from public;
grant execute on function sweep_message_nonces(integer) to chat_server;

-- Reason to cross tenants: one job empties deleted channels and deleted applications, in slices, whoever owned them.
-- Returns the rows removed; 0: nothing left to do.
create function purge_deleted(max_rows integer) returns integer
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
revoke execute on function purge_deleted(integer) from public;
grant execute on function purge_deleted(integer) to chat_server;
