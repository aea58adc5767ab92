-- Teams inside an application: who reaches whom, what a team uses.
-- Locks: users, channels and active_users briefly (columns with constants, a foreign key without a scan, indexes of nothing yet).
-- Time on 10 million rows: some seconds, for the two partial indexes' scans.

create table teams (
  app_id uuid not null references applications (app_id),
  team_id text not null check (octet_length(team_id) between 1 and 255),   -- the customer's own id
  name text,
  custom jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, team_id)
);
select make_tenant_table('teams');

-- What users.teams holds, the other way round; follows it in the transaction that changes it.
create table user_teams (
  app_id uuid not null,
  team_id text not null,
  user_id uuid not null,
  primary key (app_id, team_id, user_id),
  foreign key (app_id, team_id) references teams (app_id, team_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index user_teams_by_user on user_teams (app_id, user_id, team_id);
select make_tenant_table('user_teams');

alter table users add column teams jsonb not null default '{}';   -- {"red": "lead", "blue": null}: the role in each
alter table channels
  add column team text,                        -- null: of no team
  add column cross_team boolean not null default false;   -- reached whatever team one is in
alter table channels add foreign key (app_id, team) references teams (app_id, team_id) not valid;   -- every old value is null
create index channels_by_team on channels (app_id, team, id) where team is not null;

-- Whether who is in `teams` belongs to a team; to none: who is in none.
create function in_team(teams jsonb, team text) returns boolean language sql immutable as $$
  select case when team is null then teams = '{}' else teams ? team end
$$;
-- The one rule of teams (ops/docs/teams.md). The application is asked only when the teams don't fit.
create function reaches_channel(app uuid, teams jsonb, team text, cross_team boolean) returns boolean language sql stable as $$
  select cross_team or in_team(teams, team)
    or not exists (select from applications a where a.app_id = app and a.settings @> '{"teams": true}'
                   and coalesce(a.settings ->> 'cross_team', 'off') not in ('channels', 'all'))
$$;
create function reaches_user(app uuid, teams jsonb, others jsonb) returns boolean language sql stable as $$
  select (teams = '{}' and others = '{}') or exists (select from jsonb_object_keys(teams) as mine (team) where others ? mine.team)
    or not exists (select from applications a where a.app_id = app and a.settings @> '{"teams": true}'
                   and coalesce(a.settings ->> 'cross_team', 'off') not in ('users', 'all'))
$$;
grant execute on function in_team(jsonb, text), reaches_channel(uuid, jsonb, text, boolean), reaches_user(uuid, jsonb, jsonb) to chat_server;

create or replace view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count,
       c.slow_mode, c.cooldown, c.blocked and h.member_count = 2 as blocked,
       c.truncated_at, c.truncated_message_id,
       c.team, c.cross_team
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;

-- `suspended`: a member who is not in the channel's team any more. It costs nothing where nobody asks for it.
create or replace view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)), 0) as unread,
       h.last_message_seq,
       (select count(*) from mentions x
        where x.app_id = m.app_id and x.user_id = m.user_id and x.channel_id = m.channel_id
          and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
          and not exists (select 1 from message_deletions d
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq))
       + (select count(*) from channel_mentions x
          where x.app_id = m.app_id and x.channel_id = m.channel_id
            and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
            and (x.roles = '{}' or m.role = any (x.roles))
            and not exists (select 1 from mentions o where o.app_id = x.app_id and o.user_id = m.user_id
                            and o.channel_id = x.channel_id and o.message_id = x.message_id)
            and not exists (select 1 from message_deletions d
                            where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq)) as mentions,
       greatest(m.read_message_seq, m.furthest_read_seq) as seen_seq,
       greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) as delivered_seq,
       greatest(m.delivered_at, m.read_at) as delivered_at,
       m.joined_message_seq,
       m.custom::text as custom,
       m.muted_at is not null and (m.mute_expires_at is null or m.mute_expires_at > now()) as muted,
       m.mute_expires_at,
       m.hidden_message_seq is not null and h.last_message_seq <= m.hidden_message_seq as hidden,
       m.pinned_at, m.archived_at, m.cleared_message_id,
       (select not reaches_channel(m.app_id, u.teams, c.team, c.cross_team) from channels c
        where c.app_id = m.app_id and c.id = m.channel_id) as suspended
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;

drop function search_users(uuid, uuid, text, text, uuid, integer);
-- Reason to run as the owner: see 0019. As there, and with what the viewer reaches; `viewer_teams` null: everybody.
create function search_users(app uuid, viewer uuid, viewer_teams jsonb, prefix text, after_word text, after_user uuid, max_rows integer)
returns table (word text, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select w.word, w.user_id from user_words w
  where w.app_id = app and w.word < (prefix || U&'\+10FFFF') collate "C"
    -- one lower bound, so that the index is entered there
    and (w.word, w.user_id) > (greatest(after_word collate "C", prefix collate "C"), after_user)
    and w.word = (select e.word from user_words e    -- a user is met at the first of its words only
                  where e.app_id = app and e.user_id = w.user_id and e.word >= prefix collate "C" order by e.word limit 1)
    and (viewer_teams is null or (select reaches_user(app, viewer_teams, u.teams) from users u where u.app_id = app and u.id = w.user_id))
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = viewer and b.blocked_id = w.user_id))
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = w.user_id and b.blocked_id = viewer))
  order by w.word, w.user_id
  limit least(max_rows, 101)
$$;
revoke execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) from public;
grant execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) to chat_server;

-- What of the ledger a team accounts for. What is in usage_metrics and not here belongs to no team, so that the sums are right.
create table team_usage_metrics (
  app_id uuid not null references applications (app_id),
  team_id text not null,                       -- not a reference: the figures outlive the team
  day date not null,
  meter text not null,
  shard smallint not null,
  value bigint not null check (value >= 0),
  primary key (app_id, team_id, day, meter, shard)
) with (fillfactor = 50);
select make_tenant_table('team_usage_metrics');
alter table active_users add column team_id text;   -- the user's first team by name when it was first active; null: none
create index active_users_by_team on active_users (app_id, month, team_id) where team_id is not null;
