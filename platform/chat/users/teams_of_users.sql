-- name: lock_teams
-- $1 app  $2 team_ids[].  Those that there are; none of them goes before the end.
select team_id from teams where app_id = $1 and team_id = any ($2::text[]) for key share

-- name: lock_users
-- $1 app  $2 user_ids[].  In one order, so that two requests never wait for each other in a circle.
select user_id, teams::text from users where app_id = $1 and user_id = any ($2::text[]) and deleted_at is null
order by user_id for no key update

-- name: leave_teams
-- $1 app  $2 user_ids[].  What users.teams holds no more; who is deleted is in none.
delete from user_teams t using users u
where u.app_id = $1 and u.user_id = any ($2::text[]) and t.app_id = $1 and t.user_id = u.id
  and (u.deleted_at is not null or not u.teams ? t.team_id)

-- name: enter_teams
-- $1 app  $2 user_ids[]
insert into user_teams (app_id, team_id, user_id)
select $1, t.team_id, u.id from users u, jsonb_object_keys(u.teams) as t (team_id)
where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null
on conflict do nothing

-- name: is_moved
-- $1 app  $2 user_id  $3 teams before.  A row: the user is in other teams now, whatever its roles.
select 1 from users u where u.app_id = $1 and u.user_id = $2
  and (select array_agg(k order by k) from jsonb_object_keys(u.teams) k) is distinct from
      (select array_agg(k order by k) from jsonb_object_keys($3::jsonb) k)

-- name: find_moved_channels
-- $1 app  $2 user_id  $3 teams before  $4 at most.  Those that the user is a member of and hears now or no more.
select c.type || ':' || c.channel_id from users u
join channel_members m on m.app_id = $1 and m.user_id = u.id
join channels c on c.app_id = $1 and c.id = m.channel_id and c.deleted_at is null
where u.app_id = $1 and u.user_id = $2
  and reaches_channel($1, u.teams, c.team, c.cross_team) <> reaches_channel($1, $3::jsonb, c.team, c.cross_team)
limit $4
