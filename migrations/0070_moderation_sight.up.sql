-- What moderators see, and what jobs of moderation find in all applications.
-- Locks: none (functions). Time on 10 million rows: none.

-- No reviewer: a server, which sees all. The whole application: but for what its teams keep apart. Else what is in channels where the role,
-- or the role in the channel's team, may review; `roles` as type/role.
create function seen_by_moderator(app uuid, reviewer uuid, whole boolean, roles text[], team_roles text[], channel uuid, about uuid) returns boolean
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
grant execute on function seen_by_moderator(uuid, uuid, boolean, text[], text[], uuid, uuid) to chat_server;

-- What is not there is left out.
create or replace function evidence_of_user(app uuid, who uuid) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object('user_id', u.user_id, 'name', u.name, 'image', u.image)) from users u where u.app_id = app and u.id = who
$$;
create or replace function evidence_of_channel(app uuid, channel uuid) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object('cid', c.type || ':' || c.channel_id, 'name', c.name, 'image', c.image, 'description', c.description))
  from channels c where c.app_id = app and c.id = channel
$$;

-- Reason to cross tenants: one job tells of new flags, of all applications. It only names them; each is told in a transaction of its own
-- application, which marks it. Goes from application to application along the index of what is untold.
create function untold_flags(max_rows integer) returns table (app_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  with recursive applications_with as (
    (select f.app_id from moderation_flags f where f.told_at is null order by f.app_id limit 1)
    union all
    select (select f.app_id from moderation_flags f where f.told_at is null and f.app_id > a.app_id order by f.app_id limit 1)
    from applications_with a where a.app_id is not null
  )
  select due.* from applications_with a
  cross join lateral (
    select f.app_id, f.id from moderation_flags f where f.app_id = a.app_id and f.told_at is null order by f.created_at limit max_rows) due
  limit max_rows
$$;
revoke execute on function untold_flags(integer) from public;
grant execute on function untold_flags(integer) to chat_server;

-- Reason to cross tenants: one job forgets the evidence that was kept long enough, of all applications, in slices.
create function sweep_moderation_evidence(at timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  with due as materialized (
    select d.app_id, d.id from applications a left join moderation_settings s on s.app_id = a.app_id
    cross join lateral (
      select i.app_id, i.id from moderation_items i
      where i.app_id = a.app_id and i.evidence is not null
        and i.decided_at < at - make_interval(days => coalesce((s.settings ->> 'evidence_days')::integer, 180))
      order by i.decided_at limit max_rows) d
    limit max_rows
  ), of_flags as (
    update moderation_flags f set evidence = null from due where f.app_id = due.app_id and f.item_id = due.id and f.evidence is not null
  )
  update moderation_items i set evidence = null from due where i.app_id = due.app_id and i.id = due.id;
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_moderation_evidence(timestamptz, integer) from public;
grant execute on function sweep_moderation_evidence(timestamptz, integer) to chat_server;

-- Reason to cross tenants: the service's own figures. How many items wait (100,000 at most are counted), since when, and since when a flag
-- was not told.
create function moderation_backlog(out waiting bigint, out waiting_since timestamptz, out untold_since timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select (select count(*) from (select from moderation_items i where i.decided_at is null limit 100000) w),
    (select min(w.created_at) from (select i.created_at from moderation_items i where i.decided_at is null limit 100000) w),
    (select min(w.created_at) from (select f.created_at from moderation_flags f where f.told_at is null limit 100000) w)
$$;
revoke execute on function moderation_backlog() from public;
grant execute on function moderation_backlog() to chat_server;
