-- Bookmarks: messages that a user saved, with a reminder if wanted.
-- Locks: none (new table). Time on 10 million rows: none.

create table bookmarks (
  app_id uuid not null,
  user_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  note text,
  remind_at timestamptz,
  reminded_at timestamptz,                     -- when it was told; null: not yet
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, user_id, channel_id, message_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index bookmarks_by_time on bookmarks (app_id, user_id, created_at, message_id);                                 -- lists
create index bookmarks_due on bookmarks (app_id, remind_at) where remind_at is not null and reminded_at is null;   -- the job
create index bookmarks_by_message on bookmarks (app_id, channel_id, message_id);                                   -- erasure
select make_tenant_table('bookmarks');

-- Reason to cross tenants: one job finds the reminders that are due, of all applications. It only names them; each is told in a
-- transaction of its own application, which marks it. Goes from application to application along the index of open reminders,
-- so that it reads what is due and one row more of each.
create function due_reminders(due_until timestamptz, max_rows integer)
returns table (app_id uuid, user_id uuid, channel_id uuid, message_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  with recursive applications_with as (
    (select b.app_id from bookmarks b where b.remind_at is not null and b.reminded_at is null order by b.app_id limit 1)
    union all
    select (select b.app_id from bookmarks b
            where b.remind_at is not null and b.reminded_at is null and b.app_id > a.app_id order by b.app_id limit 1)
    from applications_with a where a.app_id is not null
  )
  select due.* from applications_with a
  cross join lateral (
    select b.app_id, b.user_id, b.channel_id, b.message_id from bookmarks b
    where b.app_id = a.app_id and b.remind_at is not null and b.reminded_at is null and b.remind_at <= due_until
    order by b.remind_at limit max_rows) due
  limit max_rows
$$;
revoke execute on function due_reminders(timestamptz, integer) from public;
grant execute on function due_reminders(timestamptz, integer) to chat_server;

-- What hangs on a message goes when it is erased, whoever erases it.
create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from message_edits where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from thread_members where app_id = new.app_id and channel_id = new.channel_id and parent_id = new.id;
  delete from bookmarks where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from channel_mentions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null, extras = null, pinned_at = null, pinned_by = null, pin_expires_at = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id
    and (reactions is not null or extras is not null or pinned_at is not null);
  return null;
end $$;
