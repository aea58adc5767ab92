-- Guests who made themselves end when they were away for the application's setting guest_days; new rights and caps.
-- Locks: users and channels against writes while an index of each is made (guests alone; all channels). Time on 10 million rows: ten seconds.
create index users_guests on users (app_id, coalesce(last_active_at, created_at)) where type <> 'regular' and deleted_at is null;   -- find_expired_guests
create index users_guests_gone on users (app_id, deleted_at) where type <> 'regular' and deleted_at is not null;                    -- forget_guest_revocations
create index channels_by_creator on channels (app_id, created_by, created_at);                                                      -- count_created

-- Null days: the default. Guests that the backend made have ids of its own, and are its own.
create function guest_days(application applications) returns integer
language sql stable as $$ select coalesce((application.settings ->> 'guest_days')::integer, 30) $$;
create function is_expired_guest(guest users, application applications, due timestamptz) returns boolean
language sql stable as $$
  select guest.type <> 'regular' and guest.deleted_at is null and guest.user_id ~ '^guest-[0-9a-f]{16}$' and guest_days(application) > 0
    and coalesce(guest.last_active_at, guest.created_at) < due - make_interval(days => guest_days(application))
    and not exists (   -- called or connected since; that is known by the month
      select from active_users x where x.app_id = guest.app_id and x.user_id = guest.user_id
        and x.month >= date_trunc('month', (due - make_interval(days => guest_days(application))) at time zone 'UTC')::date)
$$;

grant execute on function guest_days(applications), is_expired_guest(users, applications, timestamptz) to chat_server;

-- Reason to cross tenants: one job ends the guests of all applications. This only finds: each is deleted in a transaction of its own
-- application. A bounded number of each, so that none keeps the others waiting.
create function find_expired_guests(due timestamptz, max_of_one integer, max_rows integer) returns table (app_id uuid, user_id text)
language sql stable security definer set search_path = public, pg_temp as $$
  select a.app_id, g.user_id from applications a
  cross join lateral (
    select u.user_id from users u
    where u.app_id = a.app_id and u.type <> 'regular' and u.deleted_at is null
      and coalesce(u.last_active_at, u.created_at) < due - make_interval(days => guest_days(a)) and is_expired_guest(u, a, due)
    limit max_of_one) g
  where a.status = 'active' and guest_days(a) > 0
  limit max_rows
$$;
revoke execute on function find_expired_guests(timestamptz, integer, integer) from public;
grant execute on function find_expired_guests(timestamptz, integer, integer) to chat_server;

-- Reason to cross tenants: the same job. What makes the tokens of a deleted guest dead is held in memory, bounded per application; it
-- goes when those tokens have expired by themselves.
create function forget_guest_revocations(gone_before timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  removed integer;
begin
  delete from user_revocations r using (
    select u.app_id, u.user_id from users u
    join user_revocations d on d.app_id = u.app_id and d.user_id = u.user_id
    where u.type <> 'regular' and u.deleted_at < gone_before and u.user_id ~ '^guest-[0-9a-f]{16}$'
    limit max_rows) gone
  where r.app_id = gone.app_id and r.user_id = gone.user_id;
  get diagnostics removed = row_count;
  return removed;
end $$;
revoke execute on function forget_guest_revocations(timestamptz, integer) from public;
grant execute on function forget_guest_revocations(timestamptz, integer) to chat_server;

-- Mentioning roles was everybody's who may send: where a type names the actions of a role, it stays so.
update channel_types set settings = jsonb_set(settings, '{grants}', (
  select jsonb_object_agg(role, case when actions ? 'chat:message:send' then actions || '["chat:message:mention_roles"]' else actions end)
  from jsonb_each(settings -> 'grants') as g (role, actions)))
where settings -> 'grants' <> '{}';
