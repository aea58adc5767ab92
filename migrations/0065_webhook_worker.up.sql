-- Webhooks: what the worker does, for all applications at once.
-- Locks: none (functions). Time on 10 million rows: none.

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
      where d.app_id = a and d.endpoint_id = e and d.event_id in (
        select o.event_id from webhook_deliveries o where o.app_id = a and o.endpoint_id = e and o.state = 'pending'
        limit 500 for update skip locked);
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

-- Reason to cross tenants: a worker says of all its calls that take long that it is still there. Another's claims stay as they are.
create function renew_webhooks(worker uuid, lease_until timestamptz, apps uuid[], endpoints uuid[], events uuid[]) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  renewed integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  update webhook_deliveries d set due_at = lease_until
  from unnest(apps, endpoints, events) as r (app_id, endpoint_id, event_id)
  where d.app_id = r.app_id and d.endpoint_id = r.endpoint_id and d.event_id = r.event_id and d.state = 'pending' and d.claim_id = worker;
  get diagnostics renewed = row_count;
  return renewed;
end $$;
revoke execute on function renew_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[]) from public;
grant execute on function renew_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[]) to chat_server;

-- Reason to cross tenants: a worker writes down how its calls ended, of all applications in one transaction. Those that are still its own:
-- state pending means that it is tried again at `again`; is_try: it counts in the schedule; outcome '': it was never called and leaves no
-- log. Sums are metered. Losing this commit loses nothing: then it is delivered again, under the same id.
create function end_webhooks(worker uuid, at timestamptz, apps uuid[], endpoints uuid[], events uuid[], states text[], agains timestamptz[],
                             is_tries boolean[], outcomes text[], statuses integer[], durations bigint[], started timestamptz[],
                             headers text[], bodies text[], cuts boolean[]) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  ended integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  with r as (
    select * from unnest(apps, endpoints, events, states, agains, is_tries, outcomes, statuses, durations, started, headers, bodies, cuts)
      as r (app_id, endpoint_id, event_id, state, again, is_try, outcome, status, duration, started_at, headers, body, cut)
  ), done as (
    update webhook_deliveries d set state = r.state, due_at = r.again, claim_id = null, attempts = d.attempts + r.is_try::integer,
      logged = d.logged + (r.outcome <> '')::integer, ended_at = case when r.state <> 'pending' then at end
    from r
    where d.app_id = r.app_id and d.endpoint_id = r.endpoint_id and d.event_id = r.event_id and d.state = 'pending' and d.claim_id = worker
    returning d.app_id, d.endpoint_id, d.event_id, d.logged, d.trigger, d.type, r.outcome, r.status, r.duration, r.headers, r.body, r.cut,
      r.started_at, r.again
  ), logged as (
    insert into webhook_logs (app_id, endpoint_id, event_id, attempt, trigger, type, outcome, status, duration_us, response_headers, response_body,
                              is_cut, started_at, next_at)
    select app_id, endpoint_id, event_id, logged, trigger, type, outcome, status, duration, headers::jsonb, body, cut, started_at, again
    from done where outcome <> ''
    on conflict do nothing
  ), metered as (
    insert into usage_metrics (app_id, day, meter, shard, value)
    select app_id, (at at time zone 'UTC')::date, 'webhook_deliveries', 0, count(*) from done where outcome = 'succeeded' and trigger <> 'test'
    group by app_id order by app_id
    on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + excluded.value
  )
  select count(*) into ended from done;
  return ended;
end $$;
revoke execute on function end_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[], text[], timestamptz[], boolean[], text[], integer[], bigint[],
                                        timestamptz[], text[], text[], boolean[]) from public;
grant execute on function end_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[], text[], timestamptz[], boolean[], text[], integer[], bigint[],
                                       timestamptz[], text[], text[], boolean[]) to chat_server;

-- Reason to cross tenants: the same for the endpoints that were called. A success closes the breaker and ends the time of failing; five
-- failures in a row open it, for 30 s and twice as long each time, 10 min at most. Gone at once with 410, or after five days without
-- success and ten failures: disabled. Rows: what its customer is to be told.
create function note_webhook_endpoints(at timestamptz, apps uuid[], endpoints uuid[], succeeded integer[], failed integer[], gone boolean[])
returns table (app_id uuid, endpoint_id uuid, state text, reason text, warned integer, failing_since timestamptz)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  return query
    with r as (
      select p.app_id, p.id, r.succeeded, r.failed, r.gone, p.state as was, p.warned as had,
        case when r.succeeded > 0 then null when r.failed > 0 then coalesce(p.failing_since, at) else p.failing_since end as since,
        case when r.succeeded > 0 then 0 else p.failures + r.failed end as in_row
      from unnest(apps, endpoints, succeeded, failed, gone) as r (app_id, id, succeeded, failed, gone)
      join webhook_endpoints p on p.app_id = r.app_id and p.id = r.id
      where r.gone or r.failed > 0 or p.failures > 0 or p.failing_since is not null or coalesce(p.succeeded_at < at - interval '5 s', true)
      order by p.app_id, p.id for update of p
    ), judged as (
      select *, case when was <> 'active' then was when gone then 'disabled'
          when in_row >= 10 and since < at - interval '120 h' then 'disabled' else was end as now_is,
        case when since is null then 0 when since < at - interval '108 h' then 90 when since < at - interval '90 h' then 75
          when since < at - interval '60 h' then 50 else 0 end as percent
      from r
    ), noted as (
      update webhook_endpoints p set failures = j.in_row, failing_since = j.since,
        succeeded_at = case when j.succeeded > 0 then at else p.succeeded_at end,
        closed_until = case when j.in_row >= 5 and j.failed > 0
          then at + least(interval '10 min', interval '30 s' * power(2, least((j.in_row - 5) / 2, 8)))
          when j.succeeded > 0 then null else p.closed_until end,
        warned = j.percent, state = j.now_is,
        state_reason = case when j.now_is = j.was then p.state_reason when j.gone then 'gone' else 'failing' end,
        updated_at = case when j.now_is = j.was then p.updated_at else at end
      from judged j where p.app_id = j.app_id and p.id = j.id
      returning p.app_id, p.id, p.state, p.state_reason, p.warned, p.failing_since, j.was, j.had)
    select n.app_id, n.id, n.state, n.state_reason, n.warned, n.failing_since from noted n
    where n.state <> n.was or n.warned > n.had;
end $$;
revoke execute on function note_webhook_endpoints(timestamptz, uuid[], uuid[], integer[], integer[], boolean[]) from public;
grant execute on function note_webhook_endpoints(timestamptz, uuid[], uuid[], integer[], integer[], boolean[]) to chat_server;

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
