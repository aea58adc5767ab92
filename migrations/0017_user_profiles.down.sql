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
alter table user_erasures drop column messages;
create or replace view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when m.deleted_at is null then m.text else '' end as text,
       case when m.deleted_at is null then m.attachments::text end as attachments,
       case when m.deleted_at is null then m.mentions::text end as mentions,
       case when m.deleted_at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, m.deleted_at, m.erased, m.user_id as author,
       case when m.deleted_at is null then m.reactions::text end as reactions,
       case when m.deleted_at is null and m.pinned_at is not null and (m.pin_expires_at is null or m.pin_expires_at > now())
            then json_strip_nulls(json_build_object(
              'at', wire_time(m.pinned_at), 'expires_at', wire_time(m.pin_expires_at),
              'by', (select p.user_id from users p where p.app_id = m.app_id and p.id = m.pinned_by)))::text end as pin,
       case when m.deleted_at is null then m.extras::text end as extras
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;
alter table users
  drop column username, drop column username_key, drop column email, drop column email_key, drop column bio, drop column type,
  drop column invisible, drop column messages_hidden_at;
