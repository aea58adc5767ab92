-- What is unread of a thread, and how much of it mentions the reader: by name, by its role in the channel, or with the whole channel.
-- Locks: none. Time on 10 million rows: none.
create function unread_replies(of_app uuid, of_channel uuid, of_parent uuid, reader uuid, mark uuid, at_most integer)
returns table (unread bigint, mentions bigint) language sql stable as $$
  select count(*), count(*) filter (where
    exists (select from mentions x where x.app_id = of_app and x.user_id = reader and x.channel_id = of_channel and x.message_id = r.id)
    or exists (select from channel_mentions x where x.app_id = of_app and x.channel_id = of_channel and x.message_id = r.id
               and (x.roles = '{}' or exists (select from channel_members m where m.app_id = of_app and m.channel_id = of_channel
                                              and m.user_id = reader and m.role = any (x.roles)))))
  from (select r.id from messages r
        where r.app_id = of_app and r.channel_id = of_channel and r.parent_id = of_parent and r.id > coalesce(mark, of_parent)
          and r.deleted_at is null and r.user_id <> reader and r.seq > 0
        order by r.id limit at_most) r
$$;
grant execute on function unread_replies(uuid, uuid, uuid, uuid, uuid, integer) to chat_server;
