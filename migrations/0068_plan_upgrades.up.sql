-- All applications of a plan come to its last version at once.
-- Locks: none. Time on 10 million rows: a moment.

-- Reason to cross tenants: only the operator's side knows who is on which version of a plan. Always paged.
create function applications_behind(wanted text, last_version bigint, after uuid, max_rows integer)
returns table (app_id uuid, name text, plan_version bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select a.app_id, a.name, a.plan_version from applications a
  where a.plan_id = wanted and a.plan_version < last_version and a.status in ('active', 'suspended') and (after is null or a.app_id > after)
  order by a.app_id
  limit least(max_rows, 1000)
$$;
revoke execute on function applications_behind(text, bigint, uuid, integer) from public;
grant execute on function applications_behind(text, bigint, uuid, integer) to chat_server;
