drop function search_users(uuid, uuid, jsonb, text, text, uuid, integer);
create function search_users(app uuid, viewer uuid, viewer_teams jsonb, prefix text, after_word text, after_user uuid, max_rows integer)
returns table (word text, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select w.word, w.user_id from user_words w
  where w.app_id = app and w.word < (prefix || U&'\+10FFFF') collate "C"
    -- one lower bound, so that the index is entered there
    and (w.word, w.user_id) > (greatest(after_word collate "C", prefix collate "C"), after_user)
    and w.word = (select e.word from user_words e    -- a user is met at the first of its words only
                  where e.app_id = app and e.user_id = w.user_id and e.word >= prefix collate "C" order by e.word limit 1)
    and (viewer_teams is null or (select reaches_user(app, viewer_teams, u.teams) from users u where u.app_id = app and u.id = w.user_id))
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = viewer and b.blocked_id = w.user_id))
    and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = w.user_id and b.blocked_id = viewer))
  order by w.word, w.user_id
  limit least(max_rows, 101)
$$;
revoke execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) from public;
grant execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) to chat_server;
