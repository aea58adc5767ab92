-- A message as the API shows it: a deleted one, one that was truncated, and one whose author's are hidden, without its content; an
-- erased one without its author.
create or replace view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when gone.at is null then m.text else '' end as text,
       case when gone.at is null then m.attachments::text end as attachments,
       case when gone.at is null then m.mentions::text end as mentions,
       case when gone.at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, gone.at as deleted_at, m.erased, m.user_id as author,
       case when gone.at is null then m.reactions::text end as reactions,
       case when gone.at is null and m.pinned_at is not null and (m.pin_expires_at is null or m.pin_expires_at > now())
            then json_strip_nulls(json_build_object(
              'at', wire_time(m.pinned_at), 'expires_at', wire_time(m.pin_expires_at),
              'by', (select p.user_id from users p where p.app_id = m.app_id and p.id = m.pinned_by)))::text end as pin,
       case when gone.at is null then m.extras::text end as extras
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id
cross join lateral (
  select coalesce(m.deleted_at, author.messages_hidden_at, case when m.id <= c.truncated_message_id then c.truncated_at end) as at) gone;
drop function due_polls(timestamptz, integer);
drop function changed_polls(integer);
drop function poll_shown(polls);
drop trigger forget_poll on messages;
drop function forget_poll();
drop table poll_votes;
drop function count_vote();
drop table polls;
