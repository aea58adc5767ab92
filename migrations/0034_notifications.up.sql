-- Push notifications: devices, providers, preferences, templates, and the queues between a message and a device.
-- Locks: applications and message_reactions and bookmarks, exclusively for a moment (a column with a constant, triggers).
-- Time on 10 million rows: under a second.

alter table applications add column pushes boolean not null default false;   -- has push providers; kept by notifications

-- Where a user is reached when it has no connection.
create table user_devices (
  app_id uuid not null,
  user_id uuid not null,
  device_id text not null check (octet_length(device_id) between 1 and 255),   -- the customer's own
  provider text not null check (provider in ('fcm', 'apns', 'web')),
  provider_name text not null,
  platform text not null check (platform in ('android', 'ios', 'web')),
  token text not null,                         -- a registration token, a hex token, a PushSubscription
  token_key bytea not null,                    -- its SHA-256: one token, one device
  created_at timestamptz not null,
  seen_at timestamptz not null,                -- last registered
  primary key (app_id, user_id, device_id),
  unique (app_id, token_key),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('user_devices');

-- Reason to cross tenants: one job forgets the devices of all applications that were not heard of for too long.
create function expire_devices(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  expired integer;
begin
  delete from user_devices where ctid = any (array(
    select ctid from user_devices where seen_at < now() - interval '60 days' limit max_rows));
  get diagnostics expired = row_count;
  return expired;
end $$;
revoke execute on function expire_devices(integer) from public;
grant execute on function expire_devices(integer) to chat_server;

-- How an application reaches its users' devices. Credentials are sealed with the operator's master key.
create table push_providers (
  app_id uuid not null references applications (app_id),
  provider text not null check (provider in ('fcm', 'apns', 'web')),
  name text not null check (name ~ '^[a-z0-9_-]{1,64}$'),
  sealed bytea not null,
  shown jsonb not null,                        -- what of it is no secret
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, provider, name)
);
select make_tenant_table('push_providers');

-- What a user wants to be told, wherever it is, and in single channels.
create table push_preferences (
  app_id uuid not null,
  user_id uuid not null,
  level text not null check (level in ('all', 'mentions', 'none')),
  muted_until timestamptz,
  quiet_from smallint check (quiet_from between 0 and 1439),   -- minutes of the day, in time_zone; with quiet_to
  quiet_to smallint check (quiet_to between 0 and 1439),
  quiet_days smallint[],                       -- ISO days on which it begins; null: all
  time_zone text,
  language text,                               -- of templates
  updated_at timestamptz not null,
  primary key (app_id, user_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('push_preferences');

create table channel_push_preferences (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  level text check (level in ('all', 'mentions', 'none')),     -- null: the user's own
  muted_until timestamptz,
  updated_at timestamptz not null,
  primary key (app_id, user_id, channel_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index channel_push_preferences_by_channel on channel_push_preferences (app_id, channel_id);   -- purge
select make_tenant_table('channel_push_preferences');

-- Is it the user's quiet time? `from` = `to`: all day. Days are those on which the quiet time begins.
create function is_quiet(at timestamptz, quiet_from smallint, quiet_to smallint, days smallint[], time_zone text) returns boolean
language sql stable as $$
  select case when quiet_from is null then false
    when quiet_from < quiet_to then clock.minute >= quiet_from and clock.minute < quiet_to and (days is null or clock.day = any (days))
    else clock.minute >= quiet_from and (days is null or clock.day = any (days))
      or clock.minute < quiet_to and (days is null or (clock.day + 5) % 7 + 1 = any (days)) end
  from (select extract(hour from here.now)::integer * 60 + extract(minute from here.now)::integer as minute,
          extract(isodow from here.now)::integer as day
        from (select at at time zone coalesce(time_zone, 'UTC') as now) here) clock
$$;
grant execute on function is_quiet(timestamptz, smallint, smallint, smallint[], text) to chat_server;

create table push_templates (
  app_id uuid not null references applications (app_id),
  event text not null check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due')),
  language text not null,                      -- '': for all others
  title text not null,
  body text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, event, language)
);
select make_tenant_table('push_templates');

-- What somebody may have to be told of: a row for each transaction that sent, a reaction, a reminder. References only. A worker
-- claims it for a while and goes through its messages and their members; how far it came stands here.
create table push_queue (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  event text not null check (event in ('message.new', 'reaction.new', 'reminder.due')),
  channels uuid[] not null,                    -- as many as messages
  messages uuid[] not null,
  actor_id uuid,                               -- who reacted; whose reminder it is
  detail text,                                 -- the reaction
  created_at timestamptz not null,
  place integer not null default 1,            -- the message that is being worked on,
  after_user uuid not null default '00000000-0000-0000-0000-000000000000',   -- whose members up to this one are done
  claimed_by uuid,
  claimed_until timestamptz,
  primary key (app_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
select make_tenant_table('push_queue');

-- One notification for one device, until a provider took it or it is given up.
create table push_deliveries (
  app_id uuid not null,
  user_id uuid not null,
  device_id text not null,
  channel_id uuid not null,
  message_id uuid not null,
  event text not null check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due')),
  actor_id uuid not null,                      -- who wrote, reacted, wants to be reminded
  detail text,
  attempts integer not null default 0,
  due_at timestamptz not null,
  expires_at timestamptz not null,
  claimed_by uuid,
  claimed_until timestamptz,
  created_at timestamptz not null,
  primary key (app_id, user_id, device_id, message_id, event, actor_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index push_deliveries_due on push_deliveries (app_id, due_at);
create index push_deliveries_by_channel on push_deliveries (app_id, channel_id);   -- purge
select make_tenant_table('push_deliveries');

-- Reason to cross tenants: workers take what is due of all applications, each application some of it, so that none waits behind
-- another. A claim lasts a while; who dies holding one delays it by that much.
create function claim_push_queue(worker uuid, due_until timestamptz, lease_until timestamptz, max_rows integer)
returns table (app_id uuid, id uuid, event text, channels uuid[], messages uuid[], actor_id uuid, detail text, created_at timestamptz,
               place integer, after_user uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  application uuid;
  claimed integer := 0;
  n integer;
begin
  select q.app_id into application from push_queue q order by q.app_id limit 1;
  while application is not null and claimed < max_rows loop
    return query
      update push_queue q set claimed_by = worker, claimed_until = lease_until
      where q.app_id = application and q.id in (
        select d.id from push_queue d
        where d.app_id = application and d.created_at <= due_until and (d.claimed_until is null or d.claimed_until <= now())
        order by d.id limit greatest(max_rows / 4, 1) for update skip locked)
      returning q.app_id, q.id, q.event, q.channels, q.messages, q.actor_id, q.detail, q.created_at, q.place, q.after_user;
    get diagnostics n = row_count;
    claimed := claimed + n;
    select q.app_id into application from push_queue q where q.app_id > application order by q.app_id limit 1;
    if not found then exit; end if;
  end loop;
end $$;
revoke execute on function claim_push_queue(uuid, timestamptz, timestamptz, integer) from public;
grant execute on function claim_push_queue(uuid, timestamptz, timestamptz, integer) to chat_server;

-- Reason to cross tenants: as claim_push_queue. Rows: each application of which something was claimed, and how much.
create function claim_push_deliveries(worker uuid, due_until timestamptz, lease_until timestamptz, max_each integer, max_rows integer)
returns table (app_id uuid, claimed integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  total integer := 0;
begin
  select d.app_id into app_id from push_deliveries d order by d.app_id limit 1;
  while app_id is not null and total < max_rows loop
    update push_deliveries d set claimed_by = worker, claimed_until = lease_until, attempts = d.attempts + 1
    where d.ctid = any (array(
      select o.ctid from push_deliveries o
      where o.app_id = claim_push_deliveries.app_id and o.due_at <= due_until and (o.claimed_until is null or o.claimed_until <= due_until)
      order by o.due_at limit max_each for update skip locked));
    get diagnostics claimed = row_count;
    total := total + claimed;
    if claimed > 0 then return next; end if;
    select d.app_id into app_id from push_deliveries d where d.app_id > claim_push_deliveries.app_id order by d.app_id limit 1;
    if not found then exit; end if;
  end loop;
end $$;
revoke execute on function claim_push_deliveries(uuid, timestamptz, timestamptz, integer, integer) from public;
grant execute on function claim_push_deliveries(uuid, timestamptz, timestamptz, integer, integer) to chat_server;

-- Reactions and reminders that are told are queued in the same transaction, whoever tells them, where the application has push
-- (and for reactions a template).
create function queue_reaction_push() returns trigger
language plpgsql as $$
begin
  insert into push_queue (app_id, id, event, channels, messages, actor_id, detail, created_at)
  select new.app_id, gen_random_uuid(), 'reaction.new', array[new.channel_id], array[new.message_id], new.user_id, new.type, now()
  from applications a where a.app_id = new.app_id and a.pushes
    and exists (select from push_templates t where t.app_id = new.app_id and t.event = 'reaction.new');
  return null;
end $$;
create trigger queue_reaction_push after insert on message_reactions for each row execute function queue_reaction_push();

create function queue_reminder_push() returns trigger
language plpgsql as $$
begin
  insert into push_queue (app_id, id, event, channels, messages, actor_id, created_at)
  select new.app_id, gen_random_uuid(), 'reminder.due', array[new.channel_id], array[new.message_id], new.user_id, now()
  from applications a where a.app_id = new.app_id and a.pushes;
  return null;
end $$;
create trigger queue_reminder_push after update of reminded_at on bookmarks
for each row when (new.reminded_at is not null and old.reminded_at is null) execute function queue_reminder_push();

-- Livestreams have many members, and who wants to hear of them watches: no push until their application says so.
update channel_types set settings = settings || '{"push": false}' where type = 'livestream' and not settings ? 'push';
