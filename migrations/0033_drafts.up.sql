-- Drafts: what users have begun to write.
-- Locks: messages, exclusively for a moment (a trigger). Time on 10 million rows: under a second.

create table message_drafts (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  parent_id uuid not null,                     -- of a reply in this message's thread; the nil UUID: in the channel
  message jsonb not null,                      -- what POST …/messages takes
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, user_id, channel_id, parent_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index message_drafts_by_time on message_drafts (app_id, user_id, updated_at, channel_id, parent_id);   -- lists
create index message_drafts_by_channel on message_drafts (app_id, channel_id, parent_id);                     -- purge, erasure
select make_tenant_table('message_drafts');

-- The drafts in a message's thread go with it, whoever erases it.
create function forget_drafts() returns trigger
language plpgsql as $$
begin
  delete from message_drafts where app_id = new.app_id and channel_id = new.channel_id and parent_id = new.id;
  return null;
end $$;
create trigger forget_drafts after update of erased on messages
for each row when (new.erased and not old.erased) execute function forget_drafts();
