-- Pins, edit history, undeleting, kinds of messages, and what few messages have.
-- Locks: messages, exclusively for a moment (columns without default, a CHECK that is not validated: the old set is within the
-- new one). Time on 10 million rows: under a second, and the time of building an empty partial index.

alter table messages
  add column pinned_at timestamptz,
  add column pinned_by uuid,                   -- null: a server
  add column pin_expires_at timestamptz,
  add column deleted_by uuid,                  -- null: a server
  add column extras jsonb,                     -- members that few messages have: forwarded, mention_roles, mention_here, mention_channel
  drop constraint messages_type_check,
  add constraint messages_type_check check (type in ('regular', 'text', 'image', 'video', 'file', 'system')) not valid;
create index messages_pinned on messages (app_id, channel_id, pinned_at) where pinned_at is not null;

-- What a message was before each edit; the newest kMaxEdits of a message.
create table message_edits (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  edited_at timestamptz not null,
  edited_by uuid,                              -- null: a server
  text text not null,
  attachments jsonb,
  mentions jsonb,
  custom jsonb,
  primary key (app_id, channel_id, message_id, edited_at),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('message_edits');

-- Messages that mention many at once: one row each, whatever the number of members. `roles` empty: the whole channel.
create table channel_mentions (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  message_seq bigint,
  roles text[] not null default '{}',
  primary key (app_id, channel_id, message_id),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
create index channel_mentions_by_number on channel_mentions (app_id, channel_id, message_seq);   -- unread mentions above a mark
select make_tenant_table('channel_mentions');

-- Unread, and of the mentions also those of the member's role and of everybody; who is mentioned both ways counts once.
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
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq))
       + (select count(*) from channel_mentions x
          where x.app_id = m.app_id and x.channel_id = m.channel_id
            and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq)
            and (x.roles = '{}' or m.role = any (x.roles))
            and not exists (select 1 from mentions o where o.app_id = x.app_id and o.user_id = m.user_id
                            and o.channel_id = x.channel_id and o.message_id = x.message_id)
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

-- What hangs on a message goes when it is erased, whoever erases it.
create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from message_edits where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from channel_mentions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null, extras = null, pinned_at = null, pinned_by = null, pin_expires_at = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id
    and (reactions is not null or extras is not null or pinned_at is not null);
  return null;
end $$;

-- A message as the API shows it: a deleted one without its content, an erased one without its author.
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
