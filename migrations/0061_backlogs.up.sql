-- How far each queue is behind, for the operator's gauges. Locks: none. Time on 10 million rows: none.

-- Reason to cross tenants: whether messages, pushes and the search wait is asked of all applications at once, and told in times alone.
-- The oldest of each queue that is due at `at`, NULL where nothing is; of 10,000 rows, or applications, of each at most.
-- A batch that was sent bears the id of its first message (UUIDv7, which begins with its milliseconds); what is indexed anew does not.
create function oldest_waiting(at timestamptz, out scheduled timestamptz, out approved timestamptz, out push_queue timestamptz,
                               out push_deliveries timestamptz, out search timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  with recursive waiting (app_id, n) as (
    (select s.app_id, 1 from scheduled_messages s where s.failed_code is null order by s.app_id limit 1)
    union all
    select (select s.app_id from scheduled_messages s where s.failed_code is null and s.app_id > w.app_id order by s.app_id limit 1), w.n + 1
    from waiting w where w.app_id is not null and w.n < 10000
  )
  select
    (select min(d.send_at) from waiting w cross join lateral (
       select s.send_at from scheduled_messages s where s.app_id = w.app_id and s.failed_code is null order by s.send_at limit 1) d
     where d.send_at <= at),
    (select min(p.updated_at) from (
       select p.updated_at from pending_messages p where p.status = 'approved' order by p.app_id, p.updated_at limit 10000) p),
    (select min(q.created_at) from (select q.created_at from push_queue q order by q.app_id, q.id limit 10000) q),
    (select min(d.due_at) from (select d.due_at from push_deliveries d order by d.app_id, d.due_at limit 10000) d where d.due_at <= at),
    (select to_timestamp(min(('x' || left(replace(q.id::text, '-', ''), 12))::bit(48)::bigint) / 1000.0) from (
       select q.id from search_queue q order by q.app_id, q.id limit 10000) q where substr(q.id::text, 15, 1) = '7')
$$;
revoke execute on function oldest_waiting(timestamptz) from public;
grant execute on function oldest_waiting(timestamptz) to chat_server;
