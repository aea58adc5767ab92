-- Webhooks: walks over the endpoints go in pages; events go together, where a customer wants it; no tenant takes all the room.
-- Locks: webhook_endpoints, exclusively for a moment (columns with constants). Time on 10 million rows: under a second.

alter table webhook_endpoints
  add column batch_max integer not null default 1 check (batch_max between 1 and 100),                -- events in one call
  add column batch_wait_ms integer not null default 0 check (batch_wait_ms between 0 and 60000);     -- how long they gather before

-- The end of the window that `at` is in: what comes in one window becomes due together.
create function batch_due(at timestamptz, wait_ms integer) returns timestamptz
language sql immutable as $$
  select case when wait_ms = 0 then at else to_timestamp(ceil(extract(epoch from at) * 1000 / wait_ms) * wait_ms / 1000) end
$$;

drop function sweep_webhooks(integer);
drop function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, uuid[], integer[], integer, integer);
drop function fan_out_webhooks(integer, integer, uuid);

-- Reason to cross tenants: one worker turns outbox rows of all applications into deliveries, some of each, so that none waits behind
-- another: it begins behind the application where the last run ended. What nobody subscribed to goes. Losing this commit loses nothing:
-- then the rows are still in the outbox. Returns how many outbox rows went, and where this run ended.
create function fan_out_webhooks(max_each integer, max_rows integer, after_app uuid) returns table (total integer, last_app uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  application uuid;
  wrapped boolean := false;
  n integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  total := 0;
  last_app := after_app;
  while total < max_rows loop
    select o.app_id into application from outbox o where o.app_id > last_app order by o.app_id limit 1;
    if not found then
      exit when wrapped;
      wrapped := true;
      last_app := nobody;
      continue;
    end if;
    exit when wrapped and application > after_app;
    last_app := application;
    with taken as (
      delete from outbox where ctid = any (array(
        select o.ctid from outbox o where o.app_id = application order by o.id limit max_each for update skip locked))
      returning *
    ), made as (
      insert into webhook_deliveries (app_id, endpoint_id, event_id, type, channel_id, seq, message_id, user_id, body, ordered, state, trigger,
                                      due_at, ended_at, created_at)
      select o.app_id, e.id, o.id, o.type, o.channel_id, o.seq, o.message_id, o.user_id, o.body, e.ordered,
        case when e.state = 'disabled' then 'skipped' else 'pending' end, 'event', case when e.state <> 'disabled' then batch_due(now(), e.batch_wait_ms) end,
        case when e.state = 'disabled' then now() end, o.created_at
      from taken o
      join webhook_endpoints e on e.app_id = application and e.state <> 'deleted' and wants_event(e.events, o.type)
        and (cardinality(e.channel_types) = 0 or o.channel_id is null or exists (
          select from channels c where c.app_id = application and c.id = o.channel_id and c.type = any (e.channel_types)))
      on conflict do nothing
    )
    select count(*) into n from taken;
    total := total + n;
  end loop;
  return next;
end $$;
revoke execute on function fan_out_webhooks(integer, integer, uuid) from public;
grant execute on function fan_out_webhooks(integer, integer, uuid) to chat_server;

-- Reason to cross tenants: workers take what is due of all applications. Goes from endpoint to endpoint behind the one given, a page of
-- them, and takes of each no more than there is room for: `rooms` says how many more calls each endpoint and each application may get
-- that the worker has calls under way to; other endpoints get `max_each`, other applications `max_each_app`. An endpoint that hangs costs
-- its own room and no more. Who is not active is not told of anything; what waits for it waits for the day that it is. The last row has
-- no event: there the walk stopped, before its end.
create function claim_webhooks(worker uuid, due_until timestamptz, lease_until timestamptz, after_app uuid, after_endpoint uuid, rooms jsonb,
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
revoke execute on function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, jsonb, integer, integer, integer, integer) from public;
grant execute on function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, jsonb, integer, integer, integer, integer) to chat_server;

-- Reason to cross tenants: one job forgets deliveries and logs of all applications after 14 days, what waits for a paused
-- endpoint or a suspended application after 30, and what deleted endpoints left; a page of endpoints at a time, behind the one given.
-- Row: how many rows went, and where the page ended; NULL: it was the last.
create function sweep_webhooks(max_rows integer, after_app uuid, after_endpoint uuid, max_endpoints integer)
returns table (swept integer, last_app uuid, last_endpoint uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  endpoint record;
  old uuid := uuid7_floor(now() - interval '14 days');
  waited uuid := uuid7_floor(now() - interval '30 days');
  bound uuid;
  visited integer := 0;
  n integer;
begin
  swept := 0;
  last_app := after_app;
  last_endpoint := after_endpoint;
  for endpoint in
    select app_id, id, state from webhook_endpoints where (app_id, id) > (after_app, after_endpoint) order by app_id, id limit max_endpoints
  loop
    bound := case when endpoint.state = 'deleted' then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else old end;
    delete from webhook_logs where ctid = any (array(
      select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound limit max_rows - swept));
    get diagnostics n = row_count;
    swept := swept + n;
    delete from webhook_deliveries where ctid = any (array(
      select ctid from webhook_deliveries where app_id = endpoint.app_id and endpoint_id = endpoint.id and event_id < bound
        and (state <> 'pending' or event_id < waited or endpoint.state = 'deleted') limit max_rows - swept));
    get diagnostics n = row_count;
    swept := swept + n;
    delete from webhook_secrets where app_id = endpoint.app_id and endpoint_id = endpoint.id and expires_at < now() - interval '1 day';
    if swept >= max_rows then return next; return; end if;        -- the same endpoint once more
    if endpoint.state = 'deleted' then
      delete from webhook_secrets where app_id = endpoint.app_id and endpoint_id = endpoint.id;
      delete from webhook_endpoints where app_id = endpoint.app_id and id = endpoint.id;
    end if;
    last_app := endpoint.app_id;
    last_endpoint := endpoint.id;
    visited := visited + 1;
  end loop;
  if visited < max_endpoints then
    last_app := null;
    last_endpoint := null;
  end if;
  return next;
end $$;
revoke execute on function sweep_webhooks(integer, uuid, uuid, integer) from public;
grant execute on function sweep_webhooks(integer, uuid, uuid, integer) to chat_server;

-- Reason to cross tenants: whether events wait to become deliveries is asked of all applications at once, and told in a time alone: of the
-- oldest of 10,000 rows; NULL: nothing waits.
create function oldest_outbox() returns timestamptz
language sql stable security definer set search_path = public, pg_temp as $$
  select min(o.created_at) from (select o.created_at from outbox o order by o.app_id, o.id limit 10000) o
$$;
revoke execute on function oldest_outbox() from public;
grant execute on function oldest_outbox() to chat_server;
