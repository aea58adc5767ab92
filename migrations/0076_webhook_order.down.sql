drop index webhook_deliveries_free;
create or replace function claim_webhooks(worker uuid, due_until timestamptz, lease_until timestamptz, after_app uuid, after_endpoint uuid, rooms jsonb,
                               max_each integer, max_each_app integer, max_rows integer, max_visits integer)
returns table (app_id uuid, endpoint_id uuid, event_id uuid, type text, channel_id uuid, seq bigint, message_id uuid, user_id text, body text,
               created_at timestamptz, attempts integer, trigger text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  a uuid := after_app;
  e uuid := after_endpoint;
  next record;
  of_app uuid;
  app_room integer;
  room integer;
  total integer := 0;
  visits integer := 0;
  n integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  loop
    if total >= max_rows or visits >= max_visits then
      return query select a, e, null::uuid, null::text, null::uuid, null::bigint, null::uuid, null::text, null::text, null::timestamptz, null::integer, null::text;
      exit;
    end if;
    select d.app_id, d.endpoint_id, d.due_at, p.state, p.failures, p.closed_until, p.batch_max into next
    from webhook_deliveries d join webhook_endpoints p on p.app_id = d.app_id and p.id = d.endpoint_id
    where d.state = 'pending' and (d.app_id, d.endpoint_id) > (a, e) order by d.app_id, d.endpoint_id, d.due_at limit 1;
    exit when not found;
    a := next.app_id;
    e := next.endpoint_id;
    visits := visits + 1;
    if next.state in ('disabled', 'deleted') then
      update webhook_deliveries d set state = 'skipped', ended_at = due_until, due_at = null, claim_id = null
      where d.ctid = any (array(
        select o.ctid from webhook_deliveries o where o.app_id = a and o.endpoint_id = e and o.state = 'pending'
        limit 500 for update skip locked));
    end if;
    if of_app is distinct from a then
      of_app := a;
      app_room := coalesce((rooms ->> a::text)::integer, max_each_app);
    end if;
    room := least(coalesce((rooms ->> e::text)::integer, max_each), app_room);
    if next.failures >= 5 then room := least(room, 1); end if;
    continue when next.state <> 'active' or next.due_at > due_until or next.closed_until > due_until or room <= 0 or not is_active(a);
    return query
      update webhook_deliveries d set due_at = lease_until, claim_id = worker
      where d.ctid = any (array(
        select o.ctid from webhook_deliveries o
        where o.app_id = a and o.endpoint_id = e and o.state = 'pending' and o.due_at <= due_until
          and (not o.ordered or o.seq is null or not exists (
            select from webhook_deliveries b where b.app_id = a and b.endpoint_id = e and b.state = 'pending' and b.ordered
              and b.channel_id = o.channel_id and b.seq < o.seq)
            and not exists (select from outbox b where b.app_id = a and b.channel_id = o.channel_id and b.seq < o.seq))
        order by o.due_at, o.event_id limit least(room * next.batch_max, max_rows - total) for update skip locked))
      returning d.app_id, d.endpoint_id, d.event_id, d.type, d.channel_id, d.seq, d.message_id, d.user_id, d.body, d.created_at, d.attempts,
        d.trigger;
    get diagnostics n = row_count;
    total := total + n;
    app_room := app_room - (n + next.batch_max - 1) / next.batch_max;
  end loop;
end $$;
drop function next_in_order(uuid, uuid, timestamptz, integer);
