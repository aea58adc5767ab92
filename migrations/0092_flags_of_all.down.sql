drop function untold_flags(integer, integer, uuid);
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
      order by i.decided_at limit max_rows) d
    limit max_rows
  ), of_flags as (
    update moderation_flags f set evidence = null from due where f.app_id = due.app_id and f.item_id = due.id and f.evidence is not null
  )
  update moderation_items i set evidence = null from due where i.app_id = due.app_id and i.id = due.id;
  get diagnostics swept = row_count;
  return swept;
end $$;
