create or replace function claim_scheduled_messages(due_until timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, id uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  application uuid;
  claimed integer := 0;
  n integer;
begin
  select min_app.app_id into application from (
    select s.app_id from scheduled_messages s where s.failed_code is null order by s.app_id limit 1) min_app;
  while application is not null and claimed < max_rows loop
    return query
      update scheduled_messages s set claimed_until = due_until + lease
      where s.app_id = application and s.id in (
        select d.id from scheduled_messages d
        where d.app_id = application and is_active(application) and d.failed_code is null and d.send_at <= due_until
          and (d.claimed_until is null or d.claimed_until <= due_until)
        order by d.send_at limit max_rows - claimed for update skip locked)
      returning s.app_id, s.id;
    get diagnostics n = row_count;
    claimed := claimed + n;
    select next_app.app_id into application from (
      select s.app_id from scheduled_messages s where s.failed_code is null and s.app_id > application order by s.app_id limit 1) next_app;
  end loop;
end $$;
create or replace function claim_push_queue(worker uuid, due_until timestamptz, lease_until timestamptz, max_rows integer)
returns table (app_id uuid, id uuid, event text, channels uuid[], messages uuid[], actor_id uuid, detail text, created_at timestamptz,
               place integer, after_user uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  application uuid;
  claimed integer := 0;
  n integer;
begin
  select q.app_id into application from push_queue q order by q.app_id limit 1;
  while application is not null and claimed < max_rows loop
    return query
      update push_queue q set claimed_by = worker, claimed_until = lease_until
      where q.app_id = application and q.id in (
        select d.id from push_queue d
        where d.app_id = application and is_active(application) and d.created_at <= due_until and (d.claimed_until is null or d.claimed_until <= now())
        order by d.id limit greatest(max_rows / 4, 1) for update skip locked)
      returning q.app_id, q.id, q.event, q.channels, q.messages, q.actor_id, q.detail, q.created_at, q.place, q.after_user;
    get diagnostics n = row_count;
    claimed := claimed + n;
    select q.app_id into application from push_queue q where q.app_id > application order by q.app_id limit 1;
    if not found then exit; end if;
  end loop;
end $$;
create or replace function claim_approved_messages(due_until timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  update pending_messages p set claimed_until = due_until + lease
  where p.status = 'approved' and (p.app_id, p.id) in (
    select d.app_id, d.id from pending_messages d
    where d.status = 'approved' and is_active(d.app_id) and (d.claimed_until is null or d.claimed_until <= due_until)
    limit max_rows for update skip locked)
  returning p.app_id, p.id
$$;
create or replace function claim_previews(due_until timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, channel_id uuid, message_id uuid, created_at timestamptz)
language sql security definer set search_path = public, pg_temp as $$
  update preview_queue q set claimed_until = due_until + lease
  where (q.app_id, q.channel_id, q.message_id) in (
    select d.app_id, d.channel_id, d.message_id from preview_queue d
    where is_active(d.app_id) and (d.claimed_until is null or d.claimed_until <= due_until)
    limit max_rows for update skip locked)
  returning q.app_id, q.channel_id, q.message_id, q.created_at
$$;
create or replace function end_deletions(due timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  ended integer;
begin
  update applications set status = 'deleted', status_before = null where app_id in (
    select app_id from applications where status = 'deleting' and delete_after <= due limit max_rows for no key update skip locked);   -- beside flushes, which hold the key
  get diagnostics ended = row_count;
  return ended;
end $$;
do $$
declare
  made text := pg_get_functiondef('claim_webhooks'::regproc);
  was text := 'd.event_id = any (array(';
begin
  if position(was in made) = 0 then raise exception 'The function % does not say: %', 'claim_webhooks', was; end if;
  execute replace(replace(made, was, 'd.event_id in ('), 'limit 500 for update skip locked));', 'limit 500 for update skip locked);');
end $$;
