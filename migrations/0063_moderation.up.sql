-- Moderation: what was flagged, the queue of it, what was decided, strikes, appeals.
-- Locks: channel_members, users, pending_messages, exclusively for a moment each (columns without default). Time on 10 million rows: under a second.

-- One subject in the queue: a message, a user or a channel. Its evidence is what it was when it was flagged.
create table moderation_items (
  app_id uuid not null,
  id uuid not null,
  subject_type text not null check (subject_type in ('message', 'user', 'channel')),
  subject_id uuid not null,
  channel_id uuid,                             -- no foreign key: what is kept here outlives the channel; null: of a user
  user_id uuid,                                -- whose it is: the author, the user, who made the channel; it goes with that user
  status text not null default 'pending' check (status in ('pending', 'escalated', 'approved', 'rejected')),
  severity smallint not null check (severity between 1 and 3),
  flags integer not null default 0,            -- by users
  findings integer not null default 0,         -- by rules
  assigned_to uuid,
  outcome text,                                -- the action that ended it
  evidence jsonb,                              -- null: erased
  evidence_ends boolean not null default false,   -- the message was erased meanwhile: goes when this is decided
  created_at timestamptz not null,
  updated_at timestamptz not null,
  decided_at timestamptz,
  primary key (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create unique index moderation_items_open on moderation_items (app_id, subject_type, subject_id) where decided_at is null;
create index moderation_items_by_priority on moderation_items (app_id, status, (severity * 1000 + least(flags * 10 + findings, 999)), id);   -- the queue
create index moderation_items_by_user on moderation_items (app_id, user_id, id);                -- lists, erasure
create index moderation_items_by_subject on moderation_items (app_id, subject_id);              -- erasure of a message, the next round
create index moderation_items_by_channel on moderation_items (app_id, channel_id, id);          -- lists
create index moderation_items_decided on moderation_items (app_id, decided_at) where decided_at is not null and evidence is not null;   -- the job
select make_tenant_table('moderation_items');

-- Who or what found it wanting. A user flags a subject once.
create table moderation_flags (
  app_id uuid not null,
  id uuid not null,
  item_id uuid not null,
  subject_type text not null check (subject_type in ('message', 'user', 'channel')),
  subject_id uuid not null,
  source text not null,                        -- user, or what found it: list, rule, classifier, hook
  user_id uuid,                                -- who flagged it; null: no user
  reason text,
  rule text,
  severity smallint not null check (severity between 1 and 3),
  custom jsonb,                                -- of the user's flag
  detail jsonb,                                -- of a finding
  evidence jsonb,                              -- where it had changed since the item's was taken
  told_at timestamptz,                         -- when moderators were told of it; null: not yet
  created_at timestamptz not null,
  primary key (app_id, id),
  foreign key (app_id, item_id) references moderation_items (app_id, id) on delete cascade,
  foreign key (app_id, user_id) references users (app_id, id)
);
create unique index moderation_flags_once on moderation_flags (app_id, subject_type, subject_id, user_id) where user_id is not null;
create index moderation_flags_of_item on moderation_flags (app_id, item_id, id);
create index moderation_flags_by_user on moderation_flags (app_id, user_id, id) where user_id is not null;   -- erasure, export
create index moderation_flags_by_time on moderation_flags (app_id, created_at);                             -- statistics
create index moderation_flags_untold on moderation_flags (app_id, created_at) where told_at is null;        -- the job
select make_tenant_table('moderation_flags');

-- The log: every decision and what else moderators did. Only added to; taking a decision back is a line of its own.
create table moderation_log (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  action text not null,
  by text not null check (by in ('moderator', 'server', 'automatic')),
  moderator uuid,                              -- of by moderator
  item_id uuid,                                -- no foreign key, nor below: the line outlives what it is about
  subject_type text,
  subject_id uuid,
  channel_id uuid,
  about uuid,                                  -- the user whom it concerns
  rule text,
  reason text,
  points integer not null default 0,
  shown boolean not null default false,        -- to that user, who may appeal
  params jsonb not null default '{}',
  changed jsonb not null default '{}',         -- what there was before, for taking it back
  undoes uuid,                                 -- the line that this one takes back
  waited_seconds double precision,             -- from the flag to the decision
  created_at timestamptz not null,
  primary key (app_id, id)
);
create unique index moderation_log_undone on moderation_log (app_id, undoes) where undoes is not null;   -- once
create index moderation_log_of_item on moderation_log (app_id, item_id, id) where item_id is not null;
create index moderation_log_about on moderation_log (app_id, about, id) where about is not null;
create index moderation_log_by_time on moderation_log (app_id, created_at);                              -- statistics
select make_tenant_table('moderation_log');

-- What is written stays as it is, for the owner too, until the application goes.
create function keep_moderation_log() returns trigger
language plpgsql as $$
begin
  raise exception 'The log of moderators can only be added to.' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_moderation_log before update or truncate on moderation_log
for each statement execute function keep_moderation_log();
revoke update, delete on moderation_log from chat_server;

-- Points against a user, in one channel or everywhere, until they decay. Its id is the decision's.
create table moderation_strikes (
  app_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  channel_id uuid,                             -- null: given for nothing in a channel
  points integer not null check (points > 0),
  created_at timestamptz not null,
  expires_at timestamptz,                      -- null: never
  revoked_at timestamptz,
  primary key (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index moderation_strikes_by_user on moderation_strikes (app_id, user_id, id);
select make_tenant_table('moderation_strikes');

-- How a user stands in a channel, or (nil) in the application.
create table moderation_standings (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null default '00000000-0000-0000-0000-000000000000',
  probation_until timestamptz,
  last_warning_at timestamptz,
  ban_reason jsonb,
  updated_at timestamptz not null,
  primary key (app_id, user_id, channel_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('moderation_standings');

create table moderation_appeals (
  app_id uuid not null,
  id uuid not null,
  decision_id uuid not null,
  user_id uuid not null,
  text text not null,
  status text not null default 'pending' check (status in ('pending', 'accepted', 'refused')),
  answer text,
  decided_by uuid,
  created_at timestamptz not null,
  decided_at timestamptz,
  primary key (app_id, id),
  unique (app_id, decision_id),                -- once
  foreign key (app_id, user_id) references users (app_id, id)
);
create index moderation_appeals_by_user on moderation_appeals (app_id, user_id, id);
create index moderation_appeals_by_status on moderation_appeals (app_id, status, id);
select make_tenant_table('moderation_appeals');

create table moderation_settings (
  app_id uuid primary key references applications (app_id),
  settings jsonb not null,
  updated_at timestamptz not null
);
select make_tenant_table('moderation_settings');

-- On probation: until then what the user sends waits for approval, in this channel or everywhere. In the rows that a send reads anyway.
alter table channel_members add column held_until timestamptz;
alter table users add column held_until timestamptz;

-- Why a message waits; shown to those who decide.
alter table pending_messages add column findings jsonb;

-- What a user, a channel, a message is now, as moderators see it later. NULL: there is none such.
create function evidence_of_user(app uuid, who uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('user_id', u.user_id, 'name', u.name, 'image', u.image) from users u where u.app_id = app and u.id = who
$$;
create function evidence_of_channel(app uuid, channel uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('cid', c.type || ':' || c.channel_id, 'name', c.name, 'image', c.image, 'description', c.description)
  from channels c where c.app_id = app and c.id = channel
$$;
create function evidence_of_message(app uuid, channel uuid, message uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('text', m.text, 'type', m.type, 'attachments', coalesce(m.attachments, '[]'), 'custom', coalesce(m.custom, '{}'),
      'created_at', wire_time(m.created_at), 'shadowed', m.seq = 0, 'author', evidence_of_user(app, m.user_id), 'channel', evidence_of_channel(app, channel))
    || case when m.updated_at is null then '{}' else jsonb_build_object('updated_at', wire_time(m.updated_at)) end
  from messages m where m.app_id = app and m.channel_id = channel and m.id = message
$$;

-- What hangs on a message goes when it is erased, whoever erases it. Evidence of what is still to be decided goes with the decision.
create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from message_edits where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from thread_members where app_id = new.app_id and channel_id = new.channel_id and parent_id = new.id;
  delete from bookmarks where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from channel_mentions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update moderation_flags set evidence = null
  where app_id = new.app_id and evidence is not null and item_id in (
    select id from moderation_items where app_id = new.app_id and subject_id = new.id and decided_at is not null);
  update moderation_items set evidence_ends = true, evidence = case when decided_at is null then evidence end
  where app_id = new.app_id and subject_id = new.id;
  update messages set reactions = null, extras = null, pinned_at = null, pinned_by = null, pin_expires_at = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id
    and (reactions is not null or extras is not null or pinned_at is not null);
  return null;
end $$;
