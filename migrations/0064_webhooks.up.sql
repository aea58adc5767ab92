-- Webhooks: endpoints, their secrets, deliveries and the log of attempts.
-- Locks: applications and outbox and user_erasures, exclusively for a moment (columns with constants, a trigger).
-- Time on 10 million rows: under a second.

alter table applications add column webhooks text[] not null default '{}';   -- what its endpoints want, kept by webhooks

-- Does one of the patterns take this type? `*`: all; `message.*`: what begins so.
create function wants_event(patterns text[], type text) returns boolean
language sql immutable as $$
  select exists (select from unnest(patterns) p
    where p = '*' or p = type or right(p, 2) = '.*' and starts_with(type, left(p, -1)))
$$;
grant execute on function wants_event(text[], text) to chat_server;

-- The data of what is not stored elsewhere. With the user whom it is about, so that erasing one finds it.
alter table outbox add column body text;
alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table webhook_endpoints (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  url text not null,
  description text not null,
  events text[] not null,                      -- patterns
  channel_types text[] not null,               -- empty: all
  headers bytea not null,                      -- its own besides ours, sealed: there may be passwords in them
  timeout_ms integer not null default 15000 check (timeout_ms between 1000 and 30000),
  max_per_second integer not null default 0 check (max_per_second between 0 and 10000),   -- 0: no cap
  max_in_flight integer not null default 32 check (max_in_flight between 1 and 512),
  ordered boolean not null,                    -- one at a time of each channel, in the order of seq
  schedule integer[] not null,                 -- seconds before each attempt after the first
  signature text not null check (signature in ('v1', 'v1a')),
  state text not null check (state in ('active', 'paused', 'disabled', 'deleted')),
  state_reason text check (state_reason in ('asked', 'gone', 'failing')),   -- of disabled
  failures integer not null default 0,         -- since the last success
  failing_since timestamptz,
  warned integer not null default 0,           -- per cent of the time until it is disabled that was told of
  succeeded_at timestamptz,
  closed_until timestamptz,                    -- the breaker: nothing is tried before
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, id)
) with (fillfactor = 70);
select make_tenant_table('webhook_endpoints');

-- Keys that deliveries are signed with, sealed with the operator's master key. Without expires_at: the present one.
create table webhook_secrets (
  app_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null,
  sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  primary key (app_id, endpoint_id, id),
  foreign key (app_id, endpoint_id) references webhook_endpoints (app_id, id)
);
select make_tenant_table('webhook_secrets');

-- One event for one endpoint. References, as in the outbox, where the event is stored elsewhere. While it is pending, due_at is when it
-- may be claimed: a claim puts it off by its lease.
create table webhook_deliveries (
  app_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,                      -- webhook-id, the same in every attempt
  type text not null,
  channel_id uuid,
  seq bigint,
  message_id uuid,
  user_id text,
  body text,
  ordered boolean not null,
  state text not null check (state in ('pending', 'succeeded', 'failed', 'skipped')),
  trigger text not null check (trigger in ('event', 'replay', 'test')),   -- of its next or last attempt
  attempts integer not null default 0,         -- of the schedule
  logged integer not null default 0,           -- all of them
  due_at timestamptz,                          -- of pending
  claim_id uuid,
  created_at timestamptz not null,             -- of the event
  ended_at timestamptz,
  primary key (app_id, endpoint_id, event_id),
  foreign key (app_id, endpoint_id) references webhook_endpoints (app_id, id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index webhook_deliveries_due on webhook_deliveries (app_id, endpoint_id, due_at) where state = 'pending';
create index webhook_deliveries_ordered on webhook_deliveries (app_id, endpoint_id, channel_id, seq) where state = 'pending' and ordered;
create index webhook_deliveries_ended on webhook_deliveries (app_id, endpoint_id, event_id) where state in ('failed', 'skipped');   -- replay
create index webhook_deliveries_by_user on webhook_deliveries (app_id, user_id) where body is not null;                              -- erasure
select make_tenant_table('webhook_deliveries');

-- Every attempt.
create table webhook_logs (
  app_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  attempt integer not null,                    -- from 1
  trigger text not null check (trigger in ('event', 'replay', 'test')),
  type text not null,
  outcome text not null,                       -- succeeded, or what went wrong
  status integer,                              -- HTTP
  duration_us bigint not null,
  response_headers jsonb not null,
  response_body text not null,                 -- its beginning
  is_cut boolean not null,
  started_at timestamptz not null,
  next_at timestamptz,                         -- when it is tried again; null: not
  primary key (app_id, endpoint_id, event_id, attempt)
);
create index webhook_logs_by_time on webhook_logs (app_id, started_at, endpoint_id, event_id, attempt);
select make_tenant_table('webhook_logs');

-- What an erased user brought leaves the bodies of events, too. Its own user.deleted is told.
create function forget_user_events() returns trigger
language plpgsql as $$
declare
  erased text := (select user_id from users where app_id = new.app_id and id = new.user_id);
begin
  delete from outbox where app_id = new.app_id and user_id = erased and body is not null and type <> 'user.deleted';
  update webhook_deliveries set body = null, state = case when state = 'pending' then 'skipped' else state end
  where app_id = new.app_id and user_id = erased and body is not null and type <> 'user.deleted';
  return null;
end $$;
create trigger forget_user_events after insert on user_erasures for each row execute function forget_user_events();
select silence_in_imports('user_erasures', 'forget_user_events');

-- What waits to be delivered does not travel, nor what became of it: both services would tell of it.
do $do$
declare
  made text := pg_get_functiondef('transferred_tables'::regproc);
begin
  if position($$'preview_queue'$$ in made) = 0 then raise exception 'The function transferred_tables does not name preview_queue.'; end if;
  execute replace(made, $$'preview_queue'$$, $$'preview_queue', 'webhook_deliveries', 'webhook_logs'$$);
end $do$;
