-- Delivered marks, marks that were moved back, and mentions by their number.
-- Locks: channel_members, briefly; mentions against writes while its index is made. Time on 10 million mentions: half a minute.

alter table channel_members
  add column furthest_read_seq bigint,         -- where the mark stood before it was moved back: receipts don't go back
  add column delivered_seq bigint,             -- watermark; null: nothing was reported. What was read was delivered, too
  add column delivered_at timestamptz;
create index mentions_by_number on mentions (app_id, user_id, channel_id, message_seq) where message_seq is not null;  -- members_shown

-- The one definition of unread (ops/docs/unread.md). Countable messages behind the mark (or since joining), less those
-- deleted meanwhile; and of the mentions the same. It costs the same at any number of members and messages.
create or replace view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - coalesce(m.read_message_seq, m.joined_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > coalesce(m.read_message_seq, m.joined_message_seq)), 0) as unread,
       h.last_message_seq,
       (select count(*) from mentions x
        where x.app_id = m.app_id and x.user_id = m.user_id and x.channel_id = m.channel_id
          and x.message_seq > coalesce(m.read_message_seq, m.joined_message_seq)
          and not exists (select 1 from message_deletions d
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq)) as mentions,
       greatest(m.read_message_seq, m.furthest_read_seq) as seen_seq,
       greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) as delivered_seq,
       greatest(m.delivered_at, m.read_at) as delivered_at,
       m.joined_message_seq
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;
