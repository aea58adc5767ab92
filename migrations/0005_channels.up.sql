-- Channel types, channels, their numbering heads, members, and the numbered events that are not messages.
-- Locks: none (new tables). Time on 10 million rows: none.

create table channel_types (
  app_id uuid not null references applications (app_id),
  type text not null check (type ~ '^[a-z0-9_-]{1,64}$'),
  settings jsonb not null default '{}',        -- only what differs from the defaults in channel_types.h
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, type)
);
select make_tenant_table('channel_types');

create table channels (
  app_id uuid not null,
  id uuid not null,
  type text not null,
  channel_id text not null,                    -- the customer's own id; a deleted channel's carries its uuid behind ':'
  name text,
  image text,
  description text,
  custom jsonb not null default '{}',
  frozen boolean not null default false,
  is_distinct boolean not null default false,
  created_by uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  purged_at timestamptz,
  primary key (app_id, id),
  unique (app_id, type, channel_id),
  foreign key (app_id, type) references channel_types (app_id, type),
  foreign key (app_id, created_by) references users (app_id, id)
);
create index channels_to_purge on channels (app_id, id) where deleted_at is not null and purged_at is null;
select make_tenant_table('channels');

-- One narrow row per channel: where the numbers come from. Every durable event of a channel takes its number here,
-- in its own transaction, under this row's lock; so numbers have no gaps and commit in order.
create table channel_heads (
  app_id uuid not null,
  channel_id uuid not null,
  epoch text not null,                         -- changes when the numbering restarts (a restore from backup)
  last_seq bigint not null default 0,          -- all durable events
  last_message_seq bigint not null default 0,  -- countable messages: what unread is made of
  last_message_id uuid,                        -- newest message: ids grow with seq inside a channel
  last_message_at timestamptz,
  member_count integer not null default 0,
  primary key (app_id, channel_id),
  foreign key (app_id, channel_id) references channels (app_id, id)
) with (fillfactor = 70);
select make_tenant_table('channel_heads');

create table channel_members (
  app_id uuid not null,
  channel_id uuid not null,
  user_id uuid not null,
  role text not null default 'member' check (role in ('owner', 'admin', 'moderator', 'member')),
  joined_message_seq bigint not null,          -- unread starts here
  read_message_seq bigint,                     -- watermark; null: never opened
  read_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, channel_id, user_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
) with (fillfactor = 80);
create index channel_members_by_user on channel_members (app_id, user_id, channel_id);  -- a user's channels, unread totals
select make_tenant_table('channel_members');

-- Durable events other than message.new (that is the message row itself). What a client missed is read from both.
create table channel_events (
  app_id uuid not null,
  channel_id uuid not null,
  seq bigint not null,
  id uuid not null,
  type text not null,
  message_id uuid,                             -- message.updated, message.deleted: shown as the message is now
  data jsonb,                                  -- the others: as it was
  created_at timestamptz not null,
  primary key (app_id, channel_id, seq),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('channel_events');

-- A channel as the API shows it.
create view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;
grant select on channels_shown to chat_server;
