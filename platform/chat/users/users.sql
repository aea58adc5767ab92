-- name: lock_names
-- $1 app  $2 usernames[]  $3 emails[].  Whoever wants the same name waits here; in one order, so that nobody deadlocks.
select count(pg_advisory_xact_lock(hashtextextended($1::text || k.key, 4)))
from (select distinct kind || lower(normalize(value, NFKC)) as key
      from (select 'u ' as kind, unnest($2::text[]) as value union all select 'e ', unnest($3::text[])) names
      where value is not null order by 1) k

-- name: find_taken_names
-- $1 app  $2 user_ids[]  $3 usernames[]  $4 emails[].  Rows: users of the request who ask for a name that another has, or that
-- an earlier user of the request asks for. A statement after lock_names, so that it sees what was committed meanwhile.
with wanted as (
  select ord, user_id, field, lower(normalize(value, NFKC)) as key
  from unnest($2::text[], $3::text[], $4::text[]) with ordinality as i (user_id, username, email, ord),
    lateral (values ('username', i.username), ('email', i.email)) as f (field, value)
  where value is not null)
select w.user_id, w.field from wanted w
where exists (select 1 from users u where u.app_id = $1 and w.field = 'username' and u.username_key = w.key
              and u.user_id <> w.user_id and u.deleted_at is null)
   or exists (select 1 from users u where u.app_id = $1 and w.field = 'email' and u.email_key = w.key
              and u.user_id <> w.user_id and u.deleted_at is null)
   or exists (select 1 from wanted e where e.field = w.field and e.key = w.key and e.ord < w.ord)
      and not exists (select 1 from users u where u.app_id = $1 and u.user_id = w.user_id   -- who has it already keeps it
                      and case w.field when 'username' then u.username_key else u.email_key end = w.key)
order by w.ord, w.field desc

-- name: upsert_users
-- $1 app  $2 ids[]  $3 user_ids[]  $4 names[]  $5 images[]  $6 roles[]  $7 customs[]  $8 now  $9 usernames[]  $10 emails[]
-- $11 bios[]  $12 types[]  $13 invisible[]  $14 teams[]; NULL keeps.  A missing row: the user is deleted.
insert into users as u (app_id, id, user_id, name, image, role, custom, created_at, updated_at, username, username_key, email,
  email_key, bio, type, invisible, teams)
select $1, i.id, i.user_id, i.name, i.image, coalesce(i.role, 'user'), coalesce(i.custom::jsonb, '{}'), $8, $8,
  i.username, lower(normalize(i.username, NFKC)), i.email, lower(normalize(i.email, NFKC)), i.bio,
  coalesce(i.type, 'regular'), coalesce(i.invisible, false), coalesce(i.teams::jsonb, '{}')
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $9::text[], $10::text[], $11::text[], $12::text[],
  $13::boolean[], $14::text[]) as i (id, user_id, name, image, role, custom, username, email, bio, type, invisible, teams)
on conflict (app_id, user_id) do update set
  (name, image, username, username_key, email, email_key, bio, role, custom, type, invisible, teams, updated_at) = (
    select coalesce(i.name, u.name), coalesce(i.image, u.image), coalesce(i.username, u.username),
      coalesce(excluded.username_key, u.username_key), coalesce(i.email, u.email), coalesce(excluded.email_key, u.email_key),
      coalesce(i.bio, u.bio), coalesce(i.role, u.role), coalesce(i.custom::jsonb, u.custom), coalesce(i.type, u.type),
      coalesce(i.invisible, u.invisible), coalesce(i.teams::jsonb, u.teams), excluded.updated_at
    from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $9::text[], $10::text[], $11::text[], $12::text[],
      $13::boolean[], $14::text[]) as i (user_id, name, image, role, custom, username, email, bio, type, invisible, teams)
    where i.user_id = u.user_id)
where u.deleted_at is null
returning user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at,
  username, email, bio, type, invisible, messages_hidden_at, teams::text, xmax = 0 as created

-- name: get_user
-- $1 app  $2 user_id.  No row: no such user.
select user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at,
  username, email, bio, type, invisible, messages_hidden_at, teams::text
from users where app_id = $1 and user_id = $2

-- name: lock_user
-- $1 app  $2 user_id.  No row: no such user, or deleted.
select id, deactivated_at is not null, messages_hidden_at is not null from users
where app_id = $1 and user_id = $2 and deleted_at is null for update

-- name: find_users
-- $1 app  $2 user_ids[]  $3 viewer's user_id, or '': sees everybody
select u.user_id, u.id, u.type from users u
left join users v on v.app_id = $1 and v.user_id = $3
where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null
  and ($3 = '' or u.user_id = $3 or reaches_user($1, coalesce(v.teams, '{}'), u.teams))

-- name: find_candidates
-- $1 app  $2 user_ids[]  $3 viewer's user_id, or ''  $4 $5 team and cross_team of a channel: those who reach it, too
select u.user_id, u.id, u.type from users u
left join users v on v.app_id = $1 and v.user_id = $3
where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null
  and ($3 = '' or u.user_id = $3 or reaches_user($1, coalesce(v.teams, '{}'), u.teams))
  and reaches_channel($1, u.teams, $4, $5)

-- name: see_user
-- $1 app  $2 user_id  $3 viewer's user_id.  No row: no such user, or out of the viewer's reach.
select u.user_id, u.name, u.image, u.role, u.custom::text, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.last_active_at,
  u.username, u.email, u.bio, u.type, u.invisible, u.messages_hidden_at, u.teams::text
from users u
left join users v on v.app_id = $1 and v.user_id = $3
where u.app_id = $1 and u.user_id = $2 and (u.user_id = $3 or reaches_user($1, coalesce(v.teams, '{}'), u.teams))

-- name: update_user
-- $1 app  $2 user_id  $3 name  $4 image  $5 role  $6 custom  $7 unset[]  $8 unset keys of custom[]  $9 now  $10 username  $11 email
-- $12 bio  $13 type  $14 invisible  $15 teams; NULL keeps.
update users set
  name = case when 'name' = any ($7::text[]) then null else coalesce($3, name) end,
  image = case when 'image' = any ($7::text[]) then null else coalesce($4, image) end,
  role = coalesce($5, role),
  custom = case when 'custom' = any ($7::text[]) then '{}' else (custom || coalesce($6::jsonb, '{}')) - $8::text[] end,
  username = case when 'username' = any ($7::text[]) then null else coalesce($10, username) end,
  username_key = case when 'username' = any ($7::text[]) then null else coalesce(lower(normalize($10, NFKC)), username_key) end,
  email = case when 'email' = any ($7::text[]) then null else coalesce($11, email) end,
  email_key = case when 'email' = any ($7::text[]) then null else coalesce(lower(normalize($11, NFKC)), email_key) end,
  bio = case when 'bio' = any ($7::text[]) then null else coalesce($12, bio) end,
  type = coalesce($13, type), invisible = coalesce($14, invisible), teams = coalesce($15::jsonb, teams),
  updated_at = $9
where app_id = $1 and user_id = $2 and deleted_at is null
returning user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at,
  username, email, bio, type, invisible, messages_hidden_at, teams::text

-- name: set_deactivated
-- $1 app  $2 user_id  $3 deactivated_at or NULL  $4 messages hidden since or NULL  $5 now
update users set deactivated_at = $3, messages_hidden_at = $4, updated_at = $5 where app_id = $1 and user_id = $2

-- name: delete_user
-- $1 app  $2 user_id  $3 hard  $4 hide messages  $5 now
update users set deleted_at = $5, updated_at = $5,
  name = case when $3 then null else name end, image = case when $3 then null else image end,
  custom = case when $3 then '{}' else custom end,
  username = case when $3 then null else username end, username_key = case when $3 then null else username_key end,
  email = case when $3 then null else email end, email_key = case when $3 then null else email_key end,
  bio = case when $3 then null else bio end, teams = case when $3 then '{}' else teams end,
  messages_hidden_at = case when $4 then coalesce(messages_hidden_at, $5) end
where app_id = $1 and user_id = $2

-- name: request_erasure
-- $1 app  $2 user  $3 now  $4 the messages, too
insert into user_erasures (app_id, user_id, requested_at, messages) values ($1, $2, $3, $4) on conflict do nothing

-- name: forget_invitations
-- $1 app  $2 user.  Those that it wrote stand without its words and name.
update channel_invites set text = null, invited_by = null where app_id = $1 and invited_by = $2

-- name: forget_campaign_data
-- $1 app  $2 user.  What customers gave for it to campaigns; that it was written to stays a number.
update campaign_recipients set given = null where app_id = $1 and target_id = $2 and given is not null

-- name: request_handover
-- $1 app  $2 user  $3 user_id of the new owner, or NULL  $4 now
insert into ownership_handovers (app_id, owner_id, new_owner, requested_at) values ($1, $2, $3, $4) on conflict do nothing

-- name: query_users
-- $1 app  $2 viewer's user_id, or '': sees everybody
select u.id, u.user_id, u.name, u.image, u.role, u.custom::text, u.created_at, u.updated_at, u.deactivated_at,
  u.deleted_at, u.last_active_at, u.username, u.email, u.bio, u.type, u.invisible, u.messages_hidden_at, u.teams::text
from users u
left join users v on v.app_id = $1 and v.user_id = $2
where u.app_id = $1 and u.deleted_at is null
  and ($2 = '' or u.user_id = $2 or reaches_user($1, coalesce(v.teams, '{}'), u.teams))

-- name: query_teammates
-- $1 app  $2 viewer's user_id, who is in teams that are apart.  As query_users, beginning from its teams.
select u.id, u.user_id, u.name, u.image, u.role, u.custom::text, u.created_at, u.updated_at, u.deactivated_at,
  u.deleted_at, u.last_active_at, u.username, u.email, u.bio, u.type, u.invisible, u.messages_hidden_at, u.teams::text
from users u
where u.app_id = $1 and u.deleted_at is null
  and u.id in (select t.user_id from user_teams t
               where t.app_id = $1 and t.team_id = any (array(select jsonb_object_keys(v.teams) from users v where v.app_id = $1 and v.user_id = $2)))

-- name: is_in_teams
-- $1 app  $2 user_id.  A row: yes.
select 1 from users where app_id = $1 and user_id = $2 and teams <> '{}'
