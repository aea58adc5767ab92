-- Uploads: files that users send, what they take, and which messages hold them.
-- Locks: messages, scheduled_messages and user_erasures, exclusively for a moment (triggers). Time on 10 million rows: under a second.

-- What an application's files take. `byte_seconds`: gathered and not yet in the ledger, less than an hour's worth of a byte.
create table storage_accounts (
  app_id uuid not null primary key references applications (app_id),
  reserved_bytes bigint not null default 0 check (reserved_bytes >= 0),
  stored_bytes bigint not null default 0 check (stored_bytes >= 0),
  byte_seconds numeric not null default 0,
  settled_at timestamptz not null             -- up to here the ledger and byte_seconds hold everything
) with (fillfactor = 50);
select make_tenant_table('storage_accounts');

-- Adds what gathered since to the ledger, each day's to its day. The row must be held.
create function settle_storage_of(app uuid, at timestamptz) returns void
language plpgsql as $$
declare
  account storage_accounts;
  until timestamptz;
  hours bigint;
begin
  select * into account from storage_accounts where app_id = app;
  while account.settled_at < at loop
    until := least(at, (date_trunc('day', account.settled_at at time zone 'UTC') + interval '1 day') at time zone 'UTC');
    account.byte_seconds := account.byte_seconds + account.stored_bytes * extract(epoch from until - account.settled_at);
    hours := floor(account.byte_seconds / 3600);
    if hours > 0 then
      insert into usage_metrics (app_id, day, meter, shard, value)
      values (app, (account.settled_at at time zone 'UTC')::date, 'storage_byte_hours', 0, hours)
      on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + excluded.value;
      account.byte_seconds := account.byte_seconds - hours * 3600::numeric;
    end if;
    account.settled_at := until;
  end loop;
  update storage_accounts set byte_seconds = account.byte_seconds, settled_at = account.settled_at where app_id = app;
end $$;

-- False: it would be more than `hard`, and nothing changed. One application's changes come one by one.
create function move_storage(app uuid, reserved bigint, stored bigint, hard bigint, at timestamptz) returns boolean
language plpgsql as $$
begin
  insert into storage_accounts (app_id, settled_at) values (app, at) on conflict do nothing;
  perform from storage_accounts where app_id = app for update;
  if reserved > 0 and exists (select from storage_accounts
                              where app_id = app and stored_bytes + reserved_bytes > hard - reserved) then
    return false;
  end if;
  perform settle_storage_of(app, at);
  update storage_accounts set reserved_bytes = reserved_bytes + reserved, stored_bytes = stored_bytes + stored where app_id = app;
  return true;
end $$;

-- Reason to cross tenants: one job keeps the ledgers of all applications up to date where nothing changes.
create function settle_storage(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  victim uuid;
  settled integer := 0;
begin
  for victim in select app_id from storage_accounts where settled_at < now() - interval '1 hour'
                order by settled_at limit max_rows for update skip locked loop
    perform settle_storage_of(victim, now());
    settled := settled + 1;
  end loop;
  return settled;
end $$;
revoke execute on function settle_storage(integer) from public;
grant execute on function settle_storage(integer) to chat_server;
create index storage_accounts_by_time on storage_accounts (app_id, settled_at);

-- A file: asked for, brought, looked at; then part of messages, until the last of them is gone.
-- Who brought it and where is not a key that erasing or purging goes along: a row must stay until its file is gone.
create table uploads (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  uploaded_by uuid,                            -- null: a server
  begun_in uuid,                               -- the channel it is for; null: any, by servers
  name text not null,
  size_bytes bigint not null check (size_bytes > 0),
  state text not null default 'pending' check (state in ('pending', 'ready', 'removing')),
  mime_type text,                              -- as found, never as claimed
  sha256 bytea,
  width integer,
  height integer,
  thumbnails jsonb,                            -- [{"box","width","height"}]
  uses integer not null default 0 check (uses >= 0),
  created_at timestamptz not null,
  completed_at timestamptz,
  links_until timestamptz not null,            -- bytes may come until then: the row stays so long, whatever happens
  delete_after timestamptz,                    -- null: as long as it is used
  primary key (app_id, id),
  foreign key (app_id, uploaded_by) references users (app_id, id)
);
create index uploads_due on uploads (app_id, delete_after) where delete_after is not null;   -- the job
create index uploads_by_user on uploads (app_id, uploaded_by, id);                           -- exports, erasure
select make_tenant_table('uploads');

-- Which messages hold an upload, also scheduled ones. Follows their attachments by a trigger, whoever writes them.
create table upload_uses (
  app_id uuid not null,
  upload_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  primary key (app_id, upload_id, channel_id, message_id),
  foreign key (app_id, upload_id) references uploads (app_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
create index upload_uses_by_message on upload_uses (app_id, channel_id, message_id);
select make_tenant_table('upload_uses');

-- The uuid of an upload's id as the API shows it (TypeID, base 32). Null: it is none.
create function upload_uuid(shown text) returns uuid
language sql immutable as $$
  select case when shown ~ '^upl_[0-7][0-9a-hjkmnp-tv-z]{25}$' then (
    select string_agg(to_hex(substr(bits, i * 4 + 3, 4)::bit(4)::integer), '' order by i)::uuid
    from (select string_agg((strpos('0123456789abcdefghjkmnpqrstvwxyz', substr(shown, i + 5, 1)) - 1)::bit(5)::text, '' order by i) as bits
          from generate_series(0, 25) as i) b, generate_series(0, 31) as i) end
$$;

-- Keeps upload_uses with the attachments of a message. With an `owner` only its own ready uploads are held, and what else is
-- named is left to whoever sends it; without, an upload that is not there any more refuses the whole.
create function hold_uploads(app uuid, channel uuid, holder uuid, attachments jsonb, owner uuid) returns void
language plpgsql as $$
declare
  wanted uuid[] := array(select distinct upload_uuid(a ->> 'upload_id') from jsonb_array_elements(case jsonb_typeof(attachments) when 'array' then attachments end) a
                         where jsonb_typeof(a) = 'object' and upload_uuid(a ->> 'upload_id') is not null);
  added uuid[];
begin
  delete from upload_uses where app_id = app and channel_id = channel and message_id = holder and upload_id <> all (wanted);
  wanted := array(select w from unnest(wanted) w where not exists (
    select from upload_uses u where u.app_id = app and u.upload_id = w and u.channel_id = channel and u.message_id = holder));
  if cardinality(wanted) = 0 then return; end if;
  added := array(select id from uploads where app_id = app and id = any (wanted) and state = 'ready'
                 and (owner is null or uploaded_by = owner) order by id for update);
  if owner is null and cardinality(added) < cardinality(wanted) then
    raise exception using errcode = 'CH404', message = 'An attached upload does not exist any more.';
  end if;
  update uploads set uses = uses + 1, delete_after = null where app_id = app and id = any (added);
  insert into upload_uses (app_id, upload_id, channel_id, message_id) select app, a, channel, holder from unnest(added) a;
end $$;

create function keep_upload_uses() returns trigger
language plpgsql as $$
begin
  perform hold_uploads(new.app_id, new.channel_id, new.id, new.attachments, null);
  return null;
end $$;
create trigger keep_upload_uses after insert on messages
for each row when (new.attachments is not null) execute function keep_upload_uses();
create trigger keep_changed_upload_uses after update of attachments on messages
for each row when (new.attachments is distinct from old.attachments) execute function keep_upload_uses();

-- What goes whole lets go, too.
create function forget_upload_uses() returns trigger
language plpgsql as $$
begin
  delete from upload_uses where app_id = old.app_id and channel_id = old.channel_id and message_id = old.id;
  return null;
end $$;
create trigger forget_upload_uses after delete on messages
for each row when (old.attachments is not null) execute function forget_upload_uses();

-- A message that waits for its time holds its files meanwhile.
create function keep_scheduled_upload_uses() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from upload_uses where app_id = old.app_id and channel_id = old.channel_id and message_id = old.id;
  else
    perform hold_uploads(new.app_id, new.channel_id, new.id, new.message -> 'attachments', case when not new.by_server then new.user_id end);
  end if;
  return null;
end $$;
create trigger keep_upload_uses after insert or update of message or delete on scheduled_messages
for each row execute function keep_scheduled_upload_uses();

-- With its last use an upload is due to go.
create function forget_upload_use() returns trigger
language plpgsql as $$
begin
  update uploads set uses = uses - 1, delete_after = case when uses = 1 then now() else delete_after end
  where app_id = old.app_id and id = old.upload_id;
  return null;
end $$;
create trigger forget_upload_use after delete on upload_uses for each row execute function forget_upload_use();

-- What an erased user brought and no message holds goes at once.
create function forget_uploads_of_user() returns trigger
language plpgsql as $$
begin
  update uploads set delete_after = now() where app_id = new.app_id and uploaded_by = new.user_id and uses = 0;
  return null;
end $$;
create trigger forget_uploads_of_user after insert on user_erasures for each row execute function forget_uploads_of_user();

-- Reason to cross tenants: one job removes the files of all applications. It only names them; each is marked and then removed in a
-- transaction of its own application. Goes from application to application along the index of what is due.
create function due_uploads(due_until timestamptz, max_rows integer)
returns table (app_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  with recursive applications_with as (
    (select u.app_id from uploads u where u.delete_after is not null order by u.app_id limit 1)
    union all
    select (select u.app_id from uploads u where u.delete_after is not null and u.app_id > a.app_id order by u.app_id limit 1)
    from applications_with a where a.app_id is not null
  )
  select due.* from applications_with a
  cross join lateral (
    select u.app_id, u.id from uploads u
    where u.app_id = a.app_id and u.delete_after is not null and u.delete_after <= due_until
    order by u.delete_after limit max_rows) due
  limit max_rows
$$;
revoke execute on function due_uploads(timestamptz, integer) from public;
grant execute on function due_uploads(timestamptz, integer) to chat_server;

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
