-- Profiles: username, email, bio, guests and anonymous users, invisible; messages hidden while their author is away.
-- Locks: users and messages_shown briefly (new columns hold constants). Time on 10 million rows: the two indexes, some 20 s,
-- in which users can't be changed.

alter table users
  add column username text,
  add column username_key text,                -- folded: what "the same username" means
  add column email text,
  add column email_key text,
  add column bio text,
  add column type text not null default 'regular' check (type in ('regular', 'anonymous', 'guest')),
  add column invisible boolean not null default false,
  add column messages_hidden_at timestamptz;   -- the user's messages are shown without their content, as deleted ones
-- Not unique: an application asks for uniqueness by a setting; users.lock_names makes it hold.
create index users_by_username on users (app_id, username_key) where username_key is not null;
create index users_by_email on users (app_id, email_key) where email_key is not null;

-- A message as the API shows it: a deleted one, and one whose author's are hidden, without its content; an erased one without its author.
create or replace view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.text else '' end as text,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.attachments::text end as attachments,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.mentions::text end as mentions,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, coalesce(m.deleted_at, author.messages_hidden_at) as deleted_at, m.erased, m.user_id as author,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.reactions::text end as reactions,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null and m.pinned_at is not null and (m.pin_expires_at is null or m.pin_expires_at > now())
            then json_strip_nulls(json_build_object(
              'at', wire_time(m.pinned_at), 'expires_at', wire_time(m.pin_expires_at),
              'by', (select p.user_id from users p where p.app_id = m.app_id and p.id = m.pinned_by)))::text end as pin,
       case when coalesce(m.deleted_at, author.messages_hidden_at) is null then m.extras::text end as extras
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;

-- What hangs on a user goes with it, whatever becomes of its messages.
alter table user_erasures add column messages boolean not null default true;   -- those, too

-- Reason to cross tenants: one job erases what hard deleted users of all applications left. A message keeps its row and
-- number, so that no client sees a hole; its content goes. One call looks at max_rows messages of one channel, by their primary
-- key, or before that at max_rows rows of one table that hang on the user. Messages and memberships stay, for the numbers.
-- Returns the steps done; 0: nothing left to do.
create or replace function erase_deleted_users(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erasure user_erasures;
  slice uuid[];
  child text;
  removed integer;
begin
  select * into erasure from user_erasures order by requested_at limit 1 for update skip locked;
  if not found then return 0; end if;
  if erasure.channel_id is null then
    for child in select t.name from tenant_tables() t
                 where t.user_column is not null and t.name not in ('messages', 'channel_members', 'user_erasures') loop
      execute format('delete from %I where ctid = any (array(select ctid from %I where app_id = $1 and user_id = $2 limit $3))
                      and app_id = $1 and user_id = $2', child, child)
        using erasure.app_id, erasure.user_id, max_rows;
      get diagnostics removed = row_count;
      if removed > 0 then return 1; end if;
    end loop;
    if not erasure.messages then
      delete from user_erasures where app_id = erasure.app_id and user_id = erasure.user_id;
      return 1;
    end if;
  end if;
  slice := array(select id from messages
                 where app_id = erasure.app_id and channel_id = erasure.channel_id and id > erasure.after_message
                 order by id limit max_rows);
  if cardinality(slice) = 0 then
    update user_erasures set after_message = default, channel_id = (
      select c.id from channels c
      where c.app_id = erasure.app_id and (erasure.channel_id is null or c.id > erasure.channel_id)
      order by c.id limit 1)
    where app_id = erasure.app_id and user_id = erasure.user_id
    returning * into erasure;
    if erasure.channel_id is null then
      delete from user_erasures where app_id = erasure.app_id and user_id = erasure.user_id;
    end if;
    return 1;
  end if;
  with erased as (
    update messages set text = '', attachments = null, mentions = null, custom = null, nonce = null, erased = true,
      deleted_at = coalesce(deleted_at, now())
    where app_id = erasure.app_id and channel_id = erasure.channel_id and id = any (slice)
      and user_id = erasure.user_id and not messages.erased
    returning message_seq)
  insert into message_deletions (app_id, channel_id, message_seq)
  select erasure.app_id, erasure.channel_id, message_seq from erased where message_seq is not null
  on conflict do nothing;
  update user_erasures set after_message = slice[cardinality(slice)]
  where app_id = erasure.app_id and user_id = erasure.user_id;
  return 1;
end $$;
