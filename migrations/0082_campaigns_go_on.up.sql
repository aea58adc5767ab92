-- Campaigns: one that can't be planned holds up no other; a claim is never forgotten; a large one can be deleted.
-- Locks: campaigns, exclusively for a moment (a column with a constant, another CHECK). Time on 10 million rows: none.

alter table campaigns
  add column plan_after timestamptz not null default '-infinity',   -- it could not be planned: not again before
  drop constraint campaigns_status_check,
  add constraint campaigns_status_check
    check (status in ('draft', 'scheduled', 'sending', 'paused', 'completed', 'failed', 'stopped', 'deleted'));   -- deleted: its rows go with time
create index campaigns_deleted on campaigns (app_id, id) where status = 'deleted';   -- the job

-- Reason to cross tenants: as before.
create or replace function next_campaign_to_plan(at timestamptz) returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select c.app_id, c.id from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  where ((c.status = 'scheduled' and c.starts_at <= at) or (c.status = 'sending' and not c.planned)) and c.plan_after <= at
  order by c.next_at limit 1 for no key update of c skip locked
$$;

-- Reason to cross tenants: one job forgets old nonces of all applications. Those of campaigns stay while their recipient waits: who claims it
-- anew must find the message that was sent, however long it took.
create or replace function sweep_message_nonces(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from message_nonces where ctid = any (array(
    select n.ctid from message_nonces n
    where n.created_at < now() - interval '7 days'
      and case when n.nonce ~ '^campaign/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then not exists (
        select from campaign_recipients r
        where r.app_id = n.app_id and r.campaign_id = split_part(n.nonce, '/', 2)::uuid and r.target_id = split_part(n.nonce, '/', 3)::uuid
          and r.state = 'waiting') else true end
    limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;

drop function claim_campaign_recipients(timestamptz, interval, integer, interval);
-- Reason to cross tenants: one job plans and sends the campaigns of all applications. Takes recipients of the campaign that waits longest, for
-- a while, as many as its rate allows; two nodes never take the same. One row without a target: of this campaign nobody is due now.
create function claim_campaign_recipients(at timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, campaign_id uuid, target_id uuid)
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
      return query select work.app_id, work.id, null::uuid;
      return;
    end if;
  end if;
  return query
    update campaign_recipients r set claimed_until = at + lease, attempts = r.attempts + 1
    where r.ctid = any (array(   -- a join would be planned by what is known of a campaign that has just begun: nothing
      select d.ctid from campaign_recipients d
      where d.app_id = work.app_id and d.campaign_id = work.id and d.state = 'waiting' and d.due_at <= at
        and (d.claimed_until is null or d.claimed_until <= at)
      order by d.due_at limit allowed for update skip locked))
    returning r.app_id, r.campaign_id, r.target_id;
  get diagnostics n = row_count;
  if n < allowed then
    select min(greatest(r.due_at, r.claimed_until)) into due from campaign_recipients r
    where r.app_id = work.app_id and r.campaign_id = work.id and r.state = 'waiting' and r.due_at is not null;
  end if;
  update campaigns c set next_at = greatest(at, case when n = allowed then at else coalesce(due, at + interval '1 minute') end),
    moved_at = case when n > 0 then at else c.moved_at end,
    paced_at = case when work.rate is not null then paced + n * (interval '1 second' / work.rate) end
  where c.app_id = work.app_id and c.id = work.id;
  if n = 0 then return query select work.app_id, work.id, null::uuid; end if;
end $$;
revoke execute on function claim_campaign_recipients(timestamptz, interval, integer) from public;
grant execute on function claim_campaign_recipients(timestamptz, interval, integer) to chat_server;

-- Reason to cross tenants: one job removes what is left of deleted campaigns of all applications, some recipients of one at a time. Those that
-- are on their way are waited for. What was counted for them stays known to usage_removed. Returns the rows that went.
create function sweep_campaigns(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  gone record;
  swept integer;
begin
  select c.app_id, c.id into gone from campaigns c
  where c.status = 'deleted' and c.plan_after <= now() and is_active(c.app_id) order by c.app_id, c.id limit 1 for update skip locked;
  if not found then return 0; end if;
  with removed as (
    delete from campaign_recipients where ctid = any (array(
      select r.ctid from campaign_recipients r where r.app_id = gone.app_id and r.campaign_id = gone.id
        and (r.state <> 'waiting' or coalesce(r.claimed_until <= now(), true)) limit max_rows))
    returning state, sent_at
  ), kept as (
    insert into usage_removed (app_id, day, meter, value)
    select gone.app_id, (sent_at at time zone 'UTC')::date, 'campaign_recipients', count(*) from removed where state = 'sent' group by 2 order by 2
    on conflict (app_id, day, meter) do update set value = usage_removed.value + excluded.value
  )
  select count(*) into swept from removed;
  if swept > 0 then return swept; end if;
  if exists (select from campaign_recipients r where r.app_id = gone.app_id and r.campaign_id = gone.id) then
    update campaigns c set plan_after = now() + interval '1 minute' where c.app_id = gone.app_id and c.id = gone.id;
  else
    delete from campaigns c where c.app_id = gone.app_id and c.id = gone.id;
  end if;
  return 1;
end $$;
revoke execute on function sweep_campaigns(integer) from public;
grant execute on function sweep_campaigns(integer) to chat_server;
