-- Blocks and mutes between users.
-- Locks: channels briefly (a column with a constant). Time on 10 million rows: none.

create table user_blocks (
  app_id uuid not null,
  user_id uuid not null,
  blocked_id uuid not null,
  created_at timestamptz not null,
  primary key (app_id, user_id, blocked_id),
  check (user_id <> blocked_id),
  foreign key (app_id, user_id) references users (app_id, id),
  foreign key (app_id, blocked_id) references users (app_id, id)
);
create index user_blocks_by_blocked on user_blocks (app_id, blocked_id, user_id);   -- whoever blocked somebody
select make_tenant_table('user_blocks');

create table user_mutes (
  app_id uuid not null,
  user_id uuid not null,
  muted_id uuid not null,
  expires_at timestamptz,                      -- null: until it is lifted
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, user_id, muted_id),
  check (user_id <> muted_id),
  foreign key (app_id, user_id) references users (app_id, id),
  foreign key (app_id, muted_id) references users (app_id, id)
);
create index user_mutes_by_muted on user_mutes (app_id, muted_id, user_id);   -- who need not be notified of somebody's messages
select make_tenant_table('user_mutes');

-- The direct channel of two users of whom one blocks the other. Kept here, so that a send looks at no other table for it.
alter table channels add column blocked boolean not null default false;

create or replace view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count,
       c.slow_mode, c.cooldown, c.blocked and h.member_count = 2 as blocked
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;
