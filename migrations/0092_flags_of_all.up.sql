-- However much one application flags or decides, the others' flags are told and their evidence is forgotten beside it.
-- Locks: none (functions). Time on 10 million rows: none.
drop function untold_flags(integer);

-- Reason to cross tenants: one job tells of new flags, of all applications, some of each, so that none waits behind another: it begins behind
-- the application where the last run ended. It only names them; each is told in a transaction of its own application, which marks it. Goes from
-- application to application along the index of what is untold.
create function untold_flags(max_each integer, max_rows integer, after_app uuid) returns table (app_id uuid, id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  application uuid;
  last_app uuid := after_app;
  wrapped boolean := false;
  room integer := max_rows;
  n integer;
begin
  while room > 0 loop
    select f.app_id into application from moderation_flags f where f.told_at is null and f.app_id > last_app order by f.app_id limit 1;
    if not found then
      exit when wrapped;
      wrapped := true;
      last_app := nobody;
      continue;
    end if;
    exit when wrapped and application > after_app;
    last_app := application;
    return query select f.app_id, f.id from moderation_flags f
      where f.app_id = application and f.told_at is null order by f.created_at limit least(max_each, room);
    get diagnostics n = row_count;
    room := room - n;
  end loop;
end $$;
revoke execute on function untold_flags(integer, integer, uuid) from public;
grant execute on function untold_flags(integer, integer, uuid) to chat_server;

-- Reason to cross tenants: one job forgets the evidence that was kept long enough, of all applications, in slices, a twentieth of one for each.
create or replace function sweep_moderation_evidence(at timestamptz, max_rows integer) returns integer
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
      order by i.decided_at limit greatest(max_rows / 20, 1)) d
    limit max_rows
  ), of_flags as (
    update moderation_flags f set evidence = null from due where f.app_id = due.app_id and f.item_id = due.id and f.evidence is not null
  )
  update moderation_items i set evidence = null from due where i.app_id = due.app_id and i.id = due.id;
  get diagnostics swept = row_count;
  return swept;
end $$;
