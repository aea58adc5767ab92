drop view messages_shown;

-- What hangs on a message goes when it is erased, whoever erases it.
create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id and reactions is not null;
  return null;
end $$;
create or replace view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq)), 0) as unread,
       h.last_message_seq,
       (select count(*) from mentions x
        where x.app_id = m.app_id and x.user_id = m.user_id and x.channel_id = m.channel_id
          and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq)
          and not exists (select 1 from message_deletions d
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq)) as mentions,
       greatest(m.read_message_seq, m.furthest_read_seq) as seen_seq,
       greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) as delivered_seq,
       greatest(m.delivered_at, m.read_at) as delivered_at,
       m.joined_message_seq,
       m.custom::text as custom,
       m.muted_at is not null and (m.mute_expires_at is null or m.mute_expires_at > now()) as muted,
       m.mute_expires_at,
       m.hidden_message_seq is not null and h.last_message_seq <= m.hidden_message_seq as hidden,
       m.pinned_at, m.archived_at, m.cleared_message_id
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;
drop table channel_mentions;
drop table message_edits;
drop index messages_pinned;
update messages set type = 'regular' where type not in ('regular', 'system');
alter table messages
  drop constraint messages_type_check,
  drop column extras,
  drop column deleted_by,
  drop column pin_expires_at,
  drop column pinned_by,
  drop column pinned_at,
  add constraint messages_type_check check (type in ('regular', 'system'));

-- A message as the API shows it: a deleted one without its content, an erased one without its author.
create view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when m.deleted_at is null then m.text else '' end as text,
       case when m.deleted_at is null then m.attachments::text end as attachments,
       case when m.deleted_at is null then m.mentions::text end as mentions,
       case when m.deleted_at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, m.deleted_at, m.erased, m.user_id as author,
       case when m.deleted_at is null then m.reactions::text end as reactions
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;
grant select on messages_shown to chat_server;
