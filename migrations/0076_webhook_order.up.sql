-- Webhooks: what waits for its turn in a channel is not looked at, however much it is; what an endpoint allows at once holds for a worker's
-- first calls to it, too, before the worker knows it.
-- Locks: webhook_deliveries against writes while an index over few of its rows is made. Time on 10 million rows: some seconds.

-- Of endpoints that want order: what belongs to none.
create index webhook_deliveries_free on webhook_deliveries (app_id, endpoint_id, due_at) where state = 'pending' and ordered and seq is null;

-- What may be delivered next to an endpoint that wants order: the first of each channel, if it is due and nothing before it still lies in the
-- outbox; what belongs to no order; what came before the endpoint wanted any. The longest due first. Goes from channel to channel, from anywhere on, so
-- that with more than 2,000 of them each has its chance.
create function next_in_order(app uuid, endpoint uuid, due_until timestamptz, wanted integer) returns tid[]
language plpgsql set search_path = public, pg_temp as $$
declare
  begun_at uuid := uuid7_floor(now() - random() * random() * interval '3 years');
  place uuid := begun_at;
  wrapped boolean := false;
  head record;
  heads tid[] := '{}';
  dues timestamptz[] := '{}';
begin
  for i in 1 .. 2000 loop
    select o.channel_id, o.seq, o.due_at, o.ctid as at into head from webhook_deliveries o
    where o.app_id = app and o.endpoint_id = endpoint and o.state = 'pending' and o.ordered and o.channel_id > place and o.seq is not null
    order by o.channel_id, o.seq limit 1;
    if not found then
      exit when wrapped;
      wrapped := true;
      place := '00000000-0000-0000-0000-000000000000';
      continue;
    end if;
    exit when wrapped and head.channel_id > begun_at;
    place := head.channel_id;
    continue when head.due_at > due_until
      or exists (select from outbox b where b.app_id = app and b.channel_id = head.channel_id and b.seq < head.seq);
    heads := heads || head.at;
    dues := dues || head.due_at;
    exit when cardinality(heads) >= wanted;
  end loop;
  return array(
    select o.ctid from webhook_deliveries o
    where o.ctid = any (array(
      select c.at from (
        select h.at, h.due from unnest(heads, dues) as h (at, due)
        union all
        (select f.ctid, f.due_at from webhook_deliveries f
         where f.app_id = app and f.endpoint_id = endpoint and f.state = 'pending' and f.ordered and f.seq is null and f.due_at <= due_until
         order by f.due_at limit wanted)
        union all
        (select l.at, l.due from (
           select x.ctid as at, x.due_at as due, x.ordered from webhook_deliveries x
           where x.app_id = app and x.endpoint_id = endpoint and x.state = 'pending' and x.due_at <= due_until order by x.due_at limit 1000) l
         where not l.ordered limit wanted)) c
      order by c.due limit wanted))
      and o.state = 'pending' and o.due_at <= due_until
    for update skip locked);
end $$;
revoke execute on function next_in_order(uuid, uuid, timestamptz, integer) from public;

-- Reason to cross tenants: workers take what is due of all applications. Goes from endpoint to endpoint behind the one given, a page of
-- them, and takes of each no more than there is room for: `rooms` says how many more calls each endpoint and each application may get
-- that the worker has calls under way to; other endpoints get `max_each`, or what they allow if that is less, other applications
-- `max_each_app`. An endpoint that hangs costs its own room and no more. Who is not active is not told of anything; what waits for it waits for the day that it is. The last row has
-- no event: there the walk stopped, before its end.
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
  wanted integer;
  taken tid[];
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
    select d.app_id, d.endpoint_id, d.due_at, p.state, p.failures, p.closed_until, p.batch_max, p.ordered, p.max_in_flight,
      p.max_per_second into next
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
    room := least(coalesce((rooms ->> e::text)::integer, least(max_each, next.max_in_flight, nullif(next.max_per_second, 0))), app_room);
    if next.failures >= 5 then room := least(room, 1); end if;
    continue when next.state <> 'active' or next.due_at > due_until or next.closed_until > due_until or room <= 0 or not is_active(a);
    wanted := least(room * next.batch_max, max_rows - total);
    if next.ordered then
      taken := next_in_order(a, e, due_until, wanted);
    else
      taken := array(
        select o.ctid from webhook_deliveries o where o.app_id = a and o.endpoint_id = e and o.state = 'pending' and o.due_at <= due_until
        order by o.due_at, o.event_id limit wanted for update skip locked);
    end if;
    return query
      update webhook_deliveries d set due_at = lease_until, claim_id = worker where d.ctid = any (taken)
      returning d.app_id, d.endpoint_id, d.event_id, d.type, d.channel_id, d.seq, d.message_id, d.user_id, d.body, d.created_at, d.attempts,
        d.trigger;
    get diagnostics n = row_count;
    total := total + n;
    app_room := app_room - (n + next.batch_max - 1) / next.batch_max;
  end loop;
end $$;
