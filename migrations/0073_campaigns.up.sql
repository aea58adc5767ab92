-- Campaigns: messages to many users or channels, each once. Locks: none (new tables). Time on 10 million rows: none.

create table campaigns (
  app_id uuid not null,
  id uuid not null,
  name text not null,
  status text not null default 'draft' check (status in ('draft', 'scheduled', 'sending', 'paused', 'completed', 'failed', 'stopped')),
  sender_id uuid not null,
  definition jsonb not null,                   -- channel, variants, category, schedule, skip_muted: as it was given
  segments uuid[] not null default '{}',       -- asked for their targets when it begins
  targets text not null default 'users' check (targets in ('users', 'channels')),
  rate integer,                                -- messages a second; null: as fast as may be
  starts_at timestamptz,                       -- of scheduled ones
  begun boolean not null default false,        -- it was sending once
  planned boolean not null default false,      -- every recipient has its row
  plan_place text not null default '',         -- how far the rows are: segment and recipient
  reason text,                                 -- of paused and failed ones: a word, why
  moved_at timestamptz,                        -- when recipients were last taken
  next_at timestamptz not null default '-infinity',   -- when to look again for recipients that are due
  paced_at timestamptz,                        -- what was taken up to then uses up the rate
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (app_id, id),
  foreign key (app_id, sender_id) references users (app_id, id)
);
create index campaigns_at_work on campaigns (app_id, next_at) where status in ('scheduled', 'sending');   -- the job
create index campaigns_by_sender on campaigns (app_id, sender_id);
select make_tenant_table('campaigns');

-- Each recipient once. `target_id` is a user or a channel. Rows stay when a user is erased, so that the numbers stay true; what is the user's goes.
create table campaign_recipients (
  app_id uuid not null,
  campaign_id uuid not null,
  target_id uuid not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'skipped', 'failed')),
  variant smallint not null default 0,
  due_at timestamptz,                          -- null: the campaign has not begun
  claimed_until timestamptz,                   -- of waiting ones: some node sends it until then; after that another may try
  attempts smallint not null default 0,
  given jsonb,                                 -- the customer's own, for the template
  reason text,                                 -- of skipped and failed ones: a word
  detail text,
  channel_uuid uuid,                           -- of sent ones: where
  message_id uuid,
  message_seq bigint,                          -- how far a mark must be that has reached it
  updated_at timestamptz not null,
  sent_at timestamptz,
  primary key (app_id, campaign_id, target_id),
  foreign key (app_id, campaign_id) references campaigns (app_id, id)
) with (fillfactor = 70);                      -- a row changes twice
create index campaign_recipients_due on campaign_recipients (app_id, campaign_id, due_at) where state = 'waiting';   -- the job
create index campaign_recipients_by_state on campaign_recipients (app_id, campaign_id, state, target_id);            -- lists and numbers
create index campaign_recipients_by_target on campaign_recipients (app_id, target_id);                               -- erasure, export
select make_tenant_table('campaign_recipients');

-- What users don't want. A category of '' is all campaigns.
create table campaign_opt_outs (
  app_id uuid not null,
  user_id uuid not null,
  category text not null,
  created_at timestamptz not null,
  primary key (app_id, user_id, category),
  foreign key (app_id, user_id) references users (app_id, id)
);
select make_tenant_table('campaign_opt_outs');

-- A moment of the clock on the wall, in this time zone; where there is no such zone, in the other.
create function local_moment(local timestamp, zone text, otherwise text) returns timestamptz
language plpgsql stable as $$
begin
  return local at time zone coalesce(zone, otherwise);
exception when invalid_parameter_value then
  return local at time zone otherwise;
end $$;
grant execute on function local_moment(timestamp, text, text) to chat_server;

-- As channels::distinct_id: the id of the direct channel of two users, in each team another.
create function direct_channel_id(one text, other text, team text) returns text
language sql immutable as $$
  select '!' || left(encode(sha256(convert_to(
    least(one collate "C", other collate "C") || E'\n' || greatest(one collate "C", other collate "C") || E'\n' || coalesce(E'\n' || team, ''), 'UTF8')), 'hex'), 40)
$$;
grant execute on function direct_channel_id(text, text, text) to chat_server;

-- Reason to cross tenants: one job plans and sends the campaigns of all applications. It only names one campaign that has something to plan;
-- that is held and planned in a transaction of its own application.
create function next_campaign_to_plan(at timestamptz) returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select c.app_id, c.id from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  where (c.status = 'scheduled' and c.starts_at <= at) or (c.status = 'sending' and not c.planned)
  order by c.next_at limit 1 for no key update of c skip locked
$$;
revoke execute on function next_campaign_to_plan(timestamptz) from public;
grant execute on function next_campaign_to_plan(timestamptz) to chat_server;

-- Reason to cross tenants: as above. Takes recipients of the campaign that waits longest, for a while, as many as its rate allows; two nodes
-- never take the same. `forgotten`: it was taken so long ago that the memory of its nonce may be gone; nobody knows whether it was sent. One row without a
-- target: of this campaign nobody is due now.
create function claim_campaign_recipients(at timestamptz, lease interval, max_rows integer, remembered interval)
returns table (app_id uuid, campaign_id uuid, target_id uuid, forgotten boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  work record;
  paced timestamptz;
  allowed integer := max_rows;
  n integer;
  due timestamptz;
begin
  select c.* into work from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  where c.status = 'sending' and c.next_at <= at order by c.next_at limit 1 for no key update of c skip locked;
  if not found then return; end if;
  if work.rate is not null then
    paced := greatest(work.paced_at, at - interval '1 second');
    allowed := least(max_rows, floor(extract(epoch from at - paced) * work.rate)::integer);
    if allowed <= 0 then
      update campaigns c set next_at = paced + interval '1 second' / work.rate where c.app_id = work.app_id and c.id = work.id;
      return query select work.app_id, work.id, null::uuid, false;
      return;
    end if;
  end if;
  return query
    with due_now as materialized (
      select d.target_id, d.claimed_until <= at - remembered as forgotten from campaign_recipients d
      where d.app_id = work.app_id and d.campaign_id = work.id and d.state = 'waiting' and d.due_at <= at
        and (d.claimed_until is null or d.claimed_until <= at)
      order by d.due_at limit allowed for update skip locked)
    update campaign_recipients r set claimed_until = at + lease, attempts = r.attempts + 1
    from due_now where r.app_id = work.app_id and r.campaign_id = work.id and r.target_id = due_now.target_id
    returning r.app_id, r.campaign_id, r.target_id, coalesce(due_now.forgotten, false);
  get diagnostics n = row_count;
  if n < allowed then
    select min(greatest(r.due_at, r.claimed_until)) into due from campaign_recipients r
    where r.app_id = work.app_id and r.campaign_id = work.id and r.state = 'waiting' and r.due_at is not null;
  end if;
  update campaigns c set next_at = greatest(at, case when n = allowed then at else coalesce(due, at + interval '1 minute') end),
    moved_at = case when n > 0 then at else c.moved_at end,
    paced_at = case when work.rate is not null then paced + n * (interval '1 second' / work.rate) end
  where c.app_id = work.app_id and c.id = work.id;
  if n = 0 then return query select work.app_id, work.id, null::uuid, false; end if;
end $$;
revoke execute on function claim_campaign_recipients(timestamptz, interval, integer, interval) from public;
grant execute on function claim_campaign_recipients(timestamptz, interval, integer, interval) to chat_server;

-- Reason to cross tenants: whether campaigns stand still is asked of all applications at once, and told as one time: since when the one that
-- stands longest has taken nobody, though somebody is due. NULL: none.
create function campaigns_standing(at timestamptz) returns timestamptz
language sql stable security definer set search_path = public, pg_temp as $$
  select min(greatest(c.moved_at, c.started_at, d.due_at)) from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  cross join lateral (select r.due_at from campaign_recipients r
    where r.app_id = c.app_id and r.campaign_id = c.id and r.state = 'waiting' and r.due_at <= at order by r.due_at limit 1) d
  where c.status = 'sending'
$$;
revoke execute on function campaigns_standing(timestamptz) from public;
grant execute on function campaigns_standing(timestamptz) to chat_server;
