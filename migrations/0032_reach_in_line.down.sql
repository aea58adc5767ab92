create or replace function reaches_channel(app uuid, teams jsonb, team text, cross_team boolean) returns boolean language sql stable as $$
  select cross_team or in_team(teams, team)
    or not exists (select from applications a where a.app_id = app and a.settings @> '{"teams": true}'
                   and coalesce(a.settings ->> 'cross_team', 'off') not in ('channels', 'all'))
$$;
create or replace function reaches_user(app uuid, teams jsonb, others jsonb) returns boolean language sql stable as $$
  select (teams = '{}' and others = '{}') or exists (select from jsonb_object_keys(teams) as mine (team) where others ? mine.team)
    or not exists (select from applications a where a.app_id = app and a.settings @> '{"teams": true}'
                   and coalesce(a.settings ->> 'cross_team', 'off') not in ('users', 'all'))
$$;
drop function share_a_team(jsonb, jsonb);
drop function separates_users(uuid);
drop function separates_channels(uuid);
