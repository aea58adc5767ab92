-- Messages that are sent later. Locks: none (new table). Time on 10 million rows: none.

create table scheduled_messages (
  app_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  by_server boolean not null,                  -- then it is sent with a server's rights
  message jsonb not null,                      -- what POST …/messages takes
  send_at timestamptz not null,
  claimed_until timestamptz,                   -- being sent by some node until then; after that another may try
  failed_code text,                            -- why it was refused for good; null: it still waits
  failed_detail text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index scheduled_messages_by_user on scheduled_messages (app_id, user_id, send_at, id);             -- lists
create index scheduled_messages_due on scheduled_messages (app_id, send_at) where failed_code is null;    -- the job
create index scheduled_messages_by_channel on scheduled_messages (app_id, channel_id);                    -- purge
select make_tenant_table('scheduled_messages');

-- Reason to cross tenants: one job finds what is due, of all applications, and claims it for a while, so that two nodes do not
-- work at the same. Goes from application to application along the index of waiting ones.
create function claim_scheduled_messages(due_until timestamptz, lease interval, max_rows integer)
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
        where d.app_id = application and d.failed_code is null and d.send_at <= due_until
          and (d.claimed_until is null or d.claimed_until <= due_until)
        order by d.send_at limit max_rows - claimed for update skip locked)
      returning s.app_id, s.id;
    get diagnostics n = row_count;
    claimed := claimed + n;
    select next_app.app_id into application from (
      select s.app_id from scheduled_messages s where s.failed_code is null and s.app_id > application order by s.app_id limit 1) next_app;
  end loop;
end $$;
revoke execute on function claim_scheduled_messages(timestamptz, interval, integer) from public;
grant execute on function claim_scheduled_messages(timestamptz, interval, integer) to chat_server;
