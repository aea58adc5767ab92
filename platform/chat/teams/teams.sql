-- name: insert_team
-- $1 app  $2 team  $3 name  $4 custom  $5 now.  No row: it exists.
insert into teams (app_id, team_id, name, custom, created_at, updated_at) values ($1, $2, $3, coalesce($4::jsonb, '{}'), $5, $5)
on conflict do nothing returning team_id, name, custom::text, created_at, updated_at

-- name: lock_teams
-- $1 app.  Whoever makes another team of the application waits.
select pg_advisory_xact_lock(hashtextextended($1::text, 9))

-- name: count_teams
-- $1 app  $2 at most
select count(*) from (select 1 from teams where app_id = $1 limit $2) t

-- name: get_team
-- $1 app  $2 team.  No row: no such team.
select team_id, name, custom::text, created_at, updated_at from teams where app_id = $1 and team_id = $2

-- name: update_team
-- $1 app  $2 team  $3 name  $4 custom  $5 unset[]  $6 unset keys of custom[]  $7 now; NULL keeps.  No row: no such team.
update teams set
  name = case when 'name' = any ($5::text[]) then null else coalesce($3, name) end,
  custom = case when 'custom' = any ($5::text[]) then '{}' else (custom || coalesce($4::jsonb, '{}')) - $6::text[] end,
  updated_at = $7
where app_id = $1 and team_id = $2
returning team_id, name, custom::text, created_at, updated_at

-- name: lock_team
-- $1 app  $2 team.  No row: no such team. Whoever joins it waits.
select team_id from teams where app_id = $1 and team_id = $2 for update

-- name: team_in_use
-- $1 app  $2 team.  A row: a user or a channel belongs to it.
select 1 from user_teams where app_id = $1 and team_id = $2
union all
select 1 from channels where app_id = $1 and team = $2 and deleted_at is null limit 1

-- name: forget_in_deleted_channels
-- $1 app  $2 team
update channels set team = null where app_id = $1 and team = $2 and deleted_at is not null

-- name: delete_team
-- $1 app  $2 team
delete from teams where app_id = $1 and team_id = $2

-- name: list_teams
-- $1 app  $2 after this team, or ''  $3 at most
select team_id, name, custom::text, created_at, updated_at from teams
where app_id = $1 and team_id > $2 order by team_id limit $3
