-- Rules of a channel: slow mode, cooldown, roles of the customer's own.
-- Locks: channels and channel_members briefly (columns and a check without a scan). Time on 10 million rows: none.

alter table channels
  add column slow_mode integer not null default 0 check (slow_mode between 0 and 21600),   -- seconds between two messages of a user
  add column cooldown integer not null default 0 check (cooldown between 0 and 21600);     -- the same of all users together

-- When a user last sent into a channel that was in slow mode. Other channels write nothing here.
create table send_paces (
  app_id uuid not null,
  channel_id uuid not null,
  user_id uuid not null,
  sent_at timestamptz not null,
  primary key (app_id, user_id, channel_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
) with (fillfactor = 80);
select make_tenant_table('send_paces');

-- A role is one of the four, or one that the channel's type gives rights to. Every old value fits: nothing to scan.
alter table channel_members drop constraint channel_members_role_check;
alter table channel_members add constraint channel_members_role_check check (role ~ '^[a-z][a-z0-9_-]{0,31}$') not valid;

create or replace view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count,
       c.slow_mode, c.cooldown
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;
