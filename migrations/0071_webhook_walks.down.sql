-- The functions as they were.
drop function oldest_outbox();
drop function sweep_webhooks(integer, uuid, uuid, integer);
drop function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, jsonb, integer, integer, integer, integer);
drop function fan_out_webhooks(integer, integer, uuid);
drop function batch_due(timestamptz, integer);

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
        case when e.state = 'disabled' then 'skipped' else 'pending' end, 'event', case when e.state <> 'disabled' then now() end,
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

-- Reason to cross tenants: workers take what is due of all applications. Goes from endpoint to endpoint, beginning behind the one given,
-- and takes of each no more than there is room for: `busy` are those that the worker has calls under way to, `room` how many more each
-- may get; others get `max_each`. An endpoint that hangs costs its own room and no more. Who is not active is not told of anything; what
-- waits for it waits for the day that it is.
create function claim_webhooks(worker uuid, due_until timestamptz, lease_until timestamptz, after_app uuid, after_endpoint uuid,
                               busy uuid[], room integer[], max_each integer, max_rows integer)
returns table (app_id uuid, endpoint_id uuid, event_id uuid, type text, channel_id uuid, seq bigint, message_id uuid, user_id text, body text,
               created_at timestamptz, attempts integer, trigger text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  a uuid := after_app;
  e uuid := after_endpoint;
  endpoint webhook_endpoints;
  wanted integer;
  total integer := 0;
  n integer;
  wrapped boolean := false;
  next record;
begin
  perform set_config('synchronous_commit', 'off', true);
  while total < max_rows loop
    select d.app_id, d.endpoint_id into next from webhook_deliveries d
    where d.state = 'pending' and (d.app_id, d.endpoint_id) > (a, e) order by d.app_id, d.endpoint_id limit 1;
    if not found then
      exit when wrapped;
      wrapped := true;
      a := '00000000-0000-0000-0000-000000000000';
      e := a;
      continue;
    end if;
    a := next.app_id;
    e := next.endpoint_id;
    exit when wrapped and (a, e) > (after_app, after_endpoint);
    select * into endpoint from webhook_endpoints p where p.app_id = a and p.id = e;
    if endpoint.state in ('disabled', 'deleted') then
      update webhook_deliveries d set state = 'skipped', ended_at = due_until, due_at = null, claim_id = null
      where d.app_id = a and d.endpoint_id = e and d.event_id = any (array(
        select o.event_id from webhook_deliveries o where o.app_id = a and o.endpoint_id = e and o.state = 'pending'
        limit 500 for update skip locked));
    end if;
    wanted := coalesce((select r.room from unnest(busy, room) as r (id, room) where r.id = e), max_each);
    if endpoint.failures >= 5 then wanted := least(wanted, 1); end if;
    continue when endpoint.state <> 'active' or not is_active(a) or endpoint.closed_until > due_until or wanted <= 0;
    return query
      update webhook_deliveries d set due_at = lease_until, claim_id = worker
      where d.ctid = any (array(
        select o.ctid from webhook_deliveries o
        where o.app_id = a and o.endpoint_id = e and o.state = 'pending' and o.due_at <= due_until
          and (not o.ordered or o.seq is null or not exists (
            select from webhook_deliveries b where b.app_id = a and b.endpoint_id = e and b.state = 'pending' and b.ordered
              and b.channel_id = o.channel_id and b.seq < o.seq)
            and not exists (select from outbox b where b.app_id = a and b.channel_id = o.channel_id and b.seq < o.seq))
        order by o.due_at, o.event_id limit least(wanted, max_rows - total) for update skip locked))
      returning d.app_id, d.endpoint_id, d.event_id, d.type, d.channel_id, d.seq, d.message_id, d.user_id, d.body, d.created_at, d.attempts,
        d.trigger;
    get diagnostics n = row_count;
    total := total + n;
  end loop;
end $$;
revoke execute on function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, uuid[], integer[], integer, integer) from public;
grant execute on function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, uuid[], integer[], integer, integer) to chat_server;

-- Reason to cross tenants: one job forgets deliveries and logs of all applications after 14 days, what waits for a paused
-- endpoint or a suspended application after 30, and what deleted endpoints left.
create function sweep_webhooks(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  endpoint record;
  until uuid := uuid7_floor(now() - interval '14 days');
  waited uuid := uuid7_floor(now() - interval '30 days');
  swept integer := 0;
  n integer;
begin
  for endpoint in select app_id, id, state from webhook_endpoints loop
    delete from webhook_logs where ctid = any (array(
      select ctid from webhook_logs where app_id = endpoint.app_id and endpoint_id = endpoint.id
        and (event_id < until or endpoint.state = 'deleted') limit max_rows - swept));
    get diagnostics n = row_count;
    swept := swept + n;
    delete from webhook_deliveries where ctid = any (array(
      select ctid from webhook_deliveries where app_id = endpoint.app_id and endpoint_id = endpoint.id
        and (event_id < until and (state <> 'pending' or event_id < waited) or endpoint.state = 'deleted') limit max_rows - swept));
    get diagnostics n = row_count;
    swept := swept + n;
    if endpoint.state = 'deleted' and swept < max_rows then
      delete from webhook_secrets where app_id = endpoint.app_id and endpoint_id = endpoint.id;
      delete from webhook_endpoints where app_id = endpoint.app_id and id = endpoint.id;
      swept := swept + 1;
    end if;
    exit when swept >= max_rows;
  end loop;
  delete from webhook_secrets where expires_at < now() - interval '1 day';
  return swept;
end $$;
revoke execute on function sweep_webhooks(integer) from public;
grant execute on function sweep_webhooks(integer) to chat_server;

alter table webhook_endpoints drop column batch_max, drop column batch_wait_ms;
