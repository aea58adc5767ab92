-- Segments: users or channels that belong together, by a saved filter or as a list. Locks: none (new tables). Time on 10 million rows: none.

create table segments (
  app_id uuid not null,
  id uuid not null,
  name text not null,
  of text not null check (of in ('users', 'channels')),
  filter jsonb,                                -- as POST /v1/users/query takes it; null: a list
  description text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, id)
);
create unique index segments_by_name on segments (app_id, name);     -- a name once
select make_tenant_table('segments');

-- Of those that are lists. `target_id` is the user or the channel.
create table segment_targets (
  app_id uuid not null,
  segment_id uuid not null,
  target_id uuid not null,
  user_id uuid,
  channel_id uuid,
  created_at timestamptz not null,
  primary key (app_id, segment_id, target_id),
  foreign key (app_id, segment_id) references segments (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  check (user_id is null or channel_id is null)
);
create index segment_targets_by_user on segment_targets (app_id, user_id);          -- erasure, export
create index segment_targets_by_channel on segment_targets (app_id, channel_id);    -- purge
select make_tenant_table('segment_targets');
