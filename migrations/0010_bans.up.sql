-- Bans of users, from a channel or from the whole application, open or in the shadow.
-- Locks: users, channels and user_revocations briefly (columns without a rewrite). Time on 10 million rows: none.

create table channel_bans (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  shadow boolean not null,                     -- the user is not told; what it writes only it and moderators see
  reason text,
  banned_by uuid,                              -- null: the customer's server
  created_at timestamptz not null,
  expires_at timestamptz,                      -- null: until it is lifted
  primary key (app_id, user_id, channel_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index channel_bans_by_channel on channel_bans (app_id, channel_id, user_id);
select make_tenant_table('channel_bans');

create table application_bans (
  app_id uuid not null,
  user_id uuid not null,
  shadow boolean not null,
  reason text,
  created_at timestamptz not null,
  expires_at timestamptz,
  primary key (app_id, user_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('application_bans');

-- Where nobody is banned, a send looks at no other table.
alter table channels add column has_bans boolean not null default false;
alter table users add column banned boolean not null default false;
-- Loaded into memory with the application: connecting asks no database.
alter table user_revocations add column banned_until timestamptz;

-- The bans that hold now; no channel_id: the whole application.
create view bans_in_force with (security_invoker = true) as
select app_id, user_id, channel_id, shadow from channel_bans where expires_at is null or expires_at > now()
union all
select app_id, user_id, null::uuid, shadow from application_bans where expires_at is null or expires_at > now();
grant select on bans_in_force to chat_server;

-- Reason to cross tenants: one job finds the expired bans of all applications; it lifts each in its own application.
create function expired_bans(max_rows integer)
returns table (app_id uuid, user_id text, channel_type text, channel_id text)
language sql stable security definer set search_path = public, pg_temp as $$
  (select b.app_id, u.user_id, c.type, c.channel_id from channel_bans b
   join users u on u.app_id = b.app_id and u.id = b.user_id
   join channels c on c.app_id = b.app_id and c.id = b.channel_id
   where b.expires_at <= now() and c.deleted_at is null limit max_rows)
  union all
  (select b.app_id, u.user_id, null, null from application_bans b
   join users u on u.app_id = b.app_id and u.id = b.user_id
   where b.expires_at <= now() limit max_rows)
$$;
revoke execute on function expired_bans(integer) from public;
grant execute on function expired_bans(integer) to chat_server;
create index channel_bans_to_lift on channel_bans (app_id, expires_at) where expires_at is not null;
create index application_bans_to_lift on application_bans (app_id, expires_at) where expires_at is not null;
