create or replace function claim_task(known_types text[], token uuid, lease_seconds integer)
returns table (app_id uuid, id uuid, type text, attempts integer)
language sql security definer set search_path = public, pg_temp as $$
  update tasks t set status = 'running', worker = token, attempts = t.attempts + 1, lease_until = now() + make_interval(secs => lease_seconds)
  from (select w.app_id, w.id from tasks w join applications a on a.app_id = w.app_id and a.status <> 'deleted'
        where w.status in ('waiting', 'running') and (w.lease_until is null or w.lease_until <= now()) and w.type = any (known_types)
        order by w.updated_at limit 1 for update of w skip locked) next
  where t.app_id = next.app_id and t.id = next.id
  returning t.app_id, t.id, t.type, t.attempts
$$;
create or replace function claim_import(due timestamptz, lease interval)
returns table (app_id uuid, id uuid, attempts integer, parts bigint, application_made timestamptz)
language sql security definer set search_path = public, pg_temp as $$
  update imports i set attempts = i.attempts + 1, not_before = due + lease
  where (i.app_id, i.id) in (
    select w.app_id, w.id from imports w where w.status = 'waiting' and (w.not_before is null or w.not_before <= due)
    order by coalesce(w.not_before, w.updated_at), w.app_id, w.id limit 1 for update skip locked)
  returning i.app_id, i.id, i.attempts, i.parts, (i.header ->> 'created_at')::timestamptz
$$;
