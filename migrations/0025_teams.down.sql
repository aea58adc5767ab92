drop index active_users_by_team;
alter table active_users drop column team_id;
drop table team_usage_metrics;
drop function search_users(uuid, uuid, jsonb, text, text, uuid, integer);
create function search_users(app uuid, viewer uuid, prefix text, after_word text, after_user uuid, max_rows integer)
returns table (word text, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select w.word, w.user_id from user_words w
  where w.app_id = app and w.word < (prefix || U&'\+10FFFF') collate "C"
    -- one lower bound, so that the index is entered there
    and (w.word, w.user_id) > (greatest(after_word collate "C", prefix collate "C"), after_user)
    and w.word = (select e.word from user_words e    -- a user is met at the first of its words only
                  where e.app_id = app and e.user_id = w.user_id and e.word >= prefix collate "C" order by e.word limit 1)
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = viewer and b.blocked_id = w.user_id))
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = w.user_id and b.blocked_id = viewer))
  order by w.word, w.user_id
  limit least(max_rows, 101)
$$;
revoke execute on function search_users(uuid, uuid, text, text, uuid, integer) from public;
grant execute on function search_users(uuid, uuid, text, text, uuid, integer) to chat_server;
drop view channels_shown;
create view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count,
       c.slow_mode, c.cooldown, c.blocked and h.member_count = 2 as blocked,
       c.truncated_at, c.truncated_message_id
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;
grant select on channels_shown to chat_server;
drop view members_shown;
create view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)), 0) as unread,
       h.last_message_seq,
       (select count(*) from mentions x
        where x.app_id = m.app_id and x.user_id = m.user_id and x.channel_id = m.channel_id
          and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
          and not exists (select 1 from message_deletions d
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq))
       + (select count(*) from channel_mentions x
          where x.app_id = m.app_id and x.channel_id = m.channel_id
            and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
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
grant select on members_shown to chat_server;
drop function reaches_user(uuid, jsonb, jsonb);
drop function reaches_channel(uuid, jsonb, text, boolean);
drop function in_team(jsonb, text);
alter table channels drop column team, drop column cross_team;
alter table users drop column teams;
drop table user_teams;
drop table teams;
