-- The functions as they were.
create or replace function next_campaign_to_plan(at timestamptz) returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select c.app_id, c.id from campaigns c join applications a on a.app_id = c.app_id and a.status = 'active'
  where ((c.status = 'scheduled' and c.starts_at <= at) or (c.status = 'sending' and not c.planned)) and c.plan_after <= at
  order by c.next_at limit 1 for no key update of c skip locked
$$;

alter table campaigns drop column resend_from;
