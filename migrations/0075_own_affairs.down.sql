create or replace function seen_by_moderator(app uuid, reviewer uuid, whole boolean, roles text[], team_roles text[], channel uuid, about uuid) returns boolean
language sql stable as $$
  select case
    when reviewer is null then true
    when channel is null then whole and (about is null or exists (
      select from users r join users a on a.app_id = app and a.id = about
      where r.app_id = app and r.id = reviewer and reaches_user(app, r.teams, a.teams)))
    else exists (
      select from channels c join users r on r.app_id = app and r.id = reviewer
      left join channel_members m on m.app_id = app and m.channel_id = c.id and m.user_id = r.id
      where c.app_id = app and c.id = channel and reaches_channel(app, r.teams, c.team, c.cross_team)
        and (whole or (c.type || '/' || m.role) = any (roles) or (m.user_id is not null and (c.type || '/' || (r.teams ->> c.team)) = any (team_roles)))
        and (whole or not (c.has_bans and exists (
          select from bans_in_force b where b.app_id = app and b.user_id = r.id and b.channel_id = c.id and not b.shadow))))
  end
$$;
