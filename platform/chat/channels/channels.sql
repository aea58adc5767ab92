-- name: open_channels
-- $1 app  $2 types[]  $3 channel ids[]  $4 acting user's id, or ''.  No row: no such channel.
-- Before the named ones: NULL not banned, true in the shadow, false banned.
select s.id, s.type, s.channel_id, s.name, s.image, s.description, s.custom, s.frozen, s.is_distinct, s.created_by,
  s.created_at, s.updated_at, s.epoch, s.last_seq, s.last_message_seq, s.last_message_id, s.last_message_at, s.member_count,
  s.slow_mode, s.cooldown, s.truncated_at, s.truncated_message_id, s.team, s.cross_team, s.settings, t.settings::text, u.id, u.deactivated_at is not null,
  m.id, m.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at, m.unread, m.custom, m.muted, m.mute_expires_at,
  m.hidden, m.pinned_at, m.archived_at, m.cleared_message_id,
  (select bool_and(b.shadow) from bans_in_force b
   where b.app_id = $1 and b.user_id = u.id and (b.channel_id = s.id or b.channel_id is null)),
  u.type as user_type, s.blocked, reaches_channel($1, u.teams, s.team, s.cross_team) as reached, u.teams ->> s.team as team_role
from unnest($2::text[], $3::text[]) as wanted (type, channel_id)
join channels_shown s on s.app_id = $1 and s.type = wanted.type and s.channel_id = wanted.channel_id
join channel_types t on t.app_id = s.app_id and t.type = s.type
left join users u on u.app_id = s.app_id and u.user_id = $4 and u.deleted_at is null
left join members_shown m on m.app_id = s.app_id and m.channel_id = s.id and m.id = u.id
where s.app_id = $1

-- name: lock_head
-- $1 app  $2 type  $3 channel id.  No row: no such channel.
select h.channel_id from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
where c.app_id = $1 and c.type = $2 and c.channel_id = $3 and c.deleted_at is null
for update of h

-- name: lock_pair
-- $1 app  $2 user  $3 user.  Against a block of one by the other at this moment (relations.lock_pair).
select pg_advisory_xact_lock(hashtextextended($1::text || least($2::text, $3::text) || greatest($2::text, $3::text), 5))

-- name: one_blocks_the_other
-- $1 app  $2 user  $3 user.  A row: yes. A statement after lock_pair, so that it sees what was committed meanwhile.
select 1 from user_blocks where app_id = $1 and ((user_id = $2 and blocked_id = $3) or (user_id = $3 and blocked_id = $2)) limit 1

-- name: insert_channel
-- $1 app  $2 id  $3 type  $4 channel id  $5 name  $6 image  $7 description  $8 custom  $9 distinct  $10 creator  $11 now
-- $12 slow mode  $13 cooldown  $14 team or NULL  $15 cross_team
-- No row: it exists.
insert into channels (app_id, id, type, channel_id, name, image, description, custom, is_distinct, created_by, created_at, updated_at,
  slow_mode, cooldown, team, cross_team)
values ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'), $9, $10, $11, $11, $12, $13, $14, $15)
on conflict (app_id, type, channel_id) do nothing returning id

-- name: insert_head
-- $1 app  $2 channel  $3 epoch  $4 members
insert into channel_heads (app_id, channel_id, epoch, member_count) values ($1, $2, $3, $4)

-- name: insert_first_members
-- $1 app  $2 channel  $3 users[]  $4 roles[]  $5 now
insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)
select $1, $2, m.user_id, m.role, 0, $5, $5 from unnest($3::uuid[], $4::text[]) as m (user_id, role)

-- name: hold_creator
-- $1 app  $2 user
select 1 from users where app_id = $1 and id = $2 for no key update

-- name: count_created
-- $1 app  $2 user  $3 since  $4 at most.  Deleted ones, too.
select count(*) from (select 1 from channels where app_id = $1 and created_by = $2 and created_at > $3 limit $4) c

-- name: update_channel
-- $1 app  $2 channel  $3 name  $4 image  $5 description  $6 custom  $7 frozen  $8 unset[]  $9 unset keys of custom[]  $10 now
-- $11 slow mode  $12 cooldown  $13 team  $14 cross_team  $15 settings  $16 unset keys of settings[]; NULL keeps.
update channels set
  name = case when 'name' = any ($8::text[]) then null else coalesce($3, name) end,
  image = case when 'image' = any ($8::text[]) then null else coalesce($4, image) end,
  description = case when 'description' = any ($8::text[]) then null else coalesce($5, description) end,
  custom = case when 'custom' = any ($8::text[]) then '{}' else (custom || coalesce($6::jsonb, '{}')) - $9::text[] end,
  settings = case when 'settings' = any ($8) then '{}' else (settings || coalesce($15::jsonb, '{}')) - $16::text[] end,
  frozen = coalesce($7, frozen), slow_mode = coalesce($11, slow_mode), cooldown = coalesce($12, cooldown), updated_at = $10,
  team = case when 'team' = any ($8::text[]) then null else coalesce($13, team) end, cross_team = coalesce($14, cross_team)
where app_id = $1 and id = $2
returning octet_length(custom::text)

-- name: get_channel
-- $1 app  $2 channel
select id, type, channel_id, name, image, description, custom, frozen, is_distinct, created_by, created_at, updated_at,
  epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count, slow_mode, cooldown,
  truncated_at, truncated_message_id, team, cross_team, settings
from channels_shown where app_id = $1 and id = $2

-- name: delete_channel
-- $1 app  $2 channel  $3 now.  Frees the cid.
update channels set deleted_at = $3, channel_id = channel_id || ':' || id where app_id = $1 and id = $2

-- name: query_channels
-- $1 app  $2 acting user's id, or ''  $3 whether only that user's channels and open ones  $4 those that it hid, too
select s.id, s.type, s.channel_id, s.name, s.image, s.description, s.custom, s.frozen, s.is_distinct, s.created_by,
  s.created_at, s.updated_at, s.epoch, s.last_seq, s.last_message_seq, s.last_message_id, s.last_message_at, s.member_count,
  s.slow_mode, s.cooldown, s.truncated_at, s.truncated_message_id, s.team, s.cross_team, s.settings, t.settings::text,
  m.id, m.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at, m.unread, m.custom, m.muted, m.mute_expires_at,
  m.hidden, m.pinned_at, m.archived_at, m.cleared_message_id, v.teams ->> s.team as team_role
from channels_shown s
join channel_types t on t.app_id = s.app_id and t.type = s.type
left join users v on v.app_id = $1 and v.user_id = $2
left join members_shown m on m.app_id = s.app_id and m.channel_id = s.id and m.user_id = $2
where s.app_id = $1 and (not $3::boolean or m.id is not null or t.settings @> '{"open": true}')
  and (not $3 or reaches_channel($1, coalesce(v.teams, '{}'), s.team, s.cross_team))
  and not ($3 and s.blocked) and ($4::boolean or m.hidden is not true)
  and (not $3 or not exists (select from bans_in_force b
                             where b.app_id = $1 and b.user_id = m.id and b.channel_id = s.id and not b.shadow))

-- name: hold_team
-- $1 app  $2 team.  No row: no such team. It does not go before the end.
select team_id from teams where app_id = $1 and team_id = $2 for key share

-- name: teams_of
-- $1 app  $2 user_id
select t.team_id from users u, jsonb_object_keys(u.teams) as t (team_id)
where u.app_id = $1 and u.user_id = $2 and u.deleted_at is null order by t.team_id
