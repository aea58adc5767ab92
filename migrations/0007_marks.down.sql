drop view members_shown;
drop index mentions_by_number;
alter table channel_members drop column furthest_read_seq, drop column delivered_seq, drop column delivered_at;
create view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - coalesce(m.read_message_seq, m.joined_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > coalesce(m.read_message_seq, m.joined_message_seq)), 0) as unread,
       h.last_message_seq
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;
grant select on members_shown to chat_server;
