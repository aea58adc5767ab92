-- Retention: messages go when they are older than the type of their channel keeps them.
-- Locks: none (new table and index). Time on 10 million rows: none.

-- How far the job is with a type of channels.
create table retention_sweeps (
  app_id uuid not null,
  type text not null,
  day date not null,                           -- it is done for this day,
  days integer not null,                       -- keeping so many,
  channel_id uuid,                             -- up to this channel; null: none yet
  complete boolean not null,                   -- or all of them
  primary key (app_id, type),
  foreign key (app_id, type) references channel_types (app_id, type) on delete cascade
);
select make_tenant_table('retention_sweeps');

-- Reason to cross tenants: one job keeps the retention of all applications. This only finds: each channel is truncated in a transaction
-- of its own application. Takes one type that is not done for today, looks at max_channels of its channels in the order of their ids, and
-- names those with a message older than the days; then a row without a channel: how far it looked. A look is one entry of an index.
create function find_expired_channels(today date, max_channels integer)
returns table (app_id uuid, type text, days integer, up_to uuid, complete boolean, channel_id text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  work record;
  looked uuid[];
begin
  select t.app_id, t.type, (t.settings ->> 'retention_days')::integer as days,
    case when s.day = today and s.days = (t.settings ->> 'retention_days')::integer then s.channel_id end as after into work
  from channel_types t
  join applications a on a.app_id = t.app_id and a.status <> 'deleted'
  left join retention_sweeps s on s.app_id = t.app_id and s.type = t.type
  where (t.settings ->> 'retention_days')::integer > 0
    and (s.day is distinct from today or s.days <> (t.settings ->> 'retention_days')::integer or not s.complete)
  order by s.day nulls first, t.app_id, t.type limit 1;
  if not found then return; end if;
  looked := array(select c.id from channels c
                  where c.app_id = work.app_id and c.type = work.type and c.deleted_at is null and (work.after is null or c.id > work.after)
                  order by c.id limit max_channels);
  return query
    select c.app_id, c.type, work.days, null::uuid, null::boolean, c.channel_id from channels c
    where c.app_id = work.app_id and c.id = any (looked) and exists (
      select from messages m where m.app_id = c.app_id and m.channel_id = c.id and m.id > greatest(c.id, c.emptied_message_id)
        and m.id < uuid7_floor((today - work.days)::timestamp at time zone 'UTC'))
    order by c.id;
  return query select work.app_id, work.type, work.days, coalesce(looked[cardinality(looked)], work.after),
    cardinality(looked) < max_channels, null::text;
end $$;
revoke execute on function find_expired_channels(date, integer) from public;
grant execute on function find_expired_channels(date, integer) to chat_server;
