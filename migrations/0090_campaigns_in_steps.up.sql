-- Campaigns: those who failed wait again some at a time; who is due next is asked of the index; a rate is kept
-- from the first second.
-- Locks: campaigns, exclusively for a moment (columns with constants). Time on 10 million rows: none.

alter table campaigns
  add column resend_from uuid,                 -- sent again: of those who failed the ones after it are still to wait again; null: none
  add column recipients integer not null default 0;   -- that are planned

-- Reason to cross tenants: as before.
create or replace function next_campaign_to_plan(at timestamptz) returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select c.app_id, c.id from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  where ((c.status = 'scheduled' and c.starts_at <= at) or (c.status = 'sending' and (not c.planned or c.resend_from is not null))) and c.plan_after <= at
  order by c.next_at limit 1 for no key update of c skip locked
$$;

-- Reason to cross tenants: as before. When to look again is two steps into the index, however many wait;
-- a rate is kept from the first moment, and saved up only while somebody is due.
create or replace function claim_campaign_recipients(at timestamptz, lease interval, max_rows integer)
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
    paced := case when work.paced_at is null then at else greatest(work.paced_at, at - interval '1 second') end;   -- nothing is saved up at first
    allowed := least(max_rows, floor(extract(epoch from at - paced) * work.rate)::integer);
    if allowed <= 0 then
      update campaigns c set next_at = paced + interval '1 second' / work.rate, paced_at = paced where c.app_id = work.app_id and c.id = work.id;
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
    select least(
      (select r.due_at from campaign_recipients r
       where r.app_id = work.app_id and r.campaign_id = work.id and r.state = 'waiting' and r.due_at > at order by r.due_at limit 1),
      (select min(coalesce(r.claimed_until, at)) from campaign_recipients r   -- those that are on their way: few
       where r.app_id = work.app_id and r.campaign_id = work.id and r.state = 'waiting' and r.due_at <= at)) into due;
  end if;
  update campaigns c set next_at = greatest(at, case when n = allowed then at else coalesce(due, at + interval '1 minute') end),
    moved_at = case when n > 0 then at else c.moved_at end,
    paced_at = case when work.rate is not null and n = allowed then paced + n * (interval '1 second' / work.rate) end
  where c.app_id = work.app_id and c.id = work.id;
  if n = 0 then return query select work.app_id, work.id, null::uuid; end if;
end $$;

-- It took any text that is a time zone to PostgreSQL, as FOO+167 is: whoever plans looks among their names.
drop function local_moment(timestamp, text, text);
