drop view messages_shown;
drop trigger forget_message_parts on messages;
drop function forget_message_parts();
drop table message_reactions;
drop function count_reaction();
drop function wire_time(timestamptz);
alter table messages drop column reactions;

-- A message as the API shows it: a deleted one without its content, an erased one without its author.
create view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when m.deleted_at is null then m.text else '' end as text,
       case when m.deleted_at is null then m.attachments::text end as attachments,
       case when m.deleted_at is null then m.mentions::text end as mentions,
       case when m.deleted_at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, m.deleted_at, m.erased, m.user_id as author
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;
grant select on messages_shown to chat_server;
