-- Users of small teams in large applications find each other without looking at everybody.
-- Locks: none (a function). Time on 10 million rows: none.
drop function search_users(uuid, uuid, jsonb, text, text, uuid, integer);

-- Reason to run as the owner: see 0019. `viewer_teams` null: everybody is found. Where teams are apart and the viewer's have few users,
-- the words of those are looked at; else the words that begin so, as far as their users are in reach. Both in the same order.
create function search_users(app uuid, viewer uuid, viewer_teams jsonb, prefix text, after_word text, after_user uuid, max_rows integer)
returns table (word text, id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  mates uuid[];
begin
  if viewer_teams <> '{}' and not reaches_user(app, viewer_teams, '{}') then
    mates := array(select distinct t.user_id from user_teams t
                   where t.app_id = app and t.team_id = any (array(select jsonb_object_keys(viewer_teams))) limit 2001);
    if cardinality(mates) > 2000 then mates := null; end if;
  end if;
  return query
    select w.word, w.user_id from user_words w
    where w.app_id = app and mates is null and w.word < (prefix || U&'\+10FFFF') collate "C"
      -- one lower bound, so that the index is entered there
      and (w.word, w.user_id) > (greatest(after_word collate "C", prefix collate "C"), after_user)
      and w.word = (select e.word from user_words e    -- a user is met at the first of its words only
                    where e.app_id = app and e.user_id = w.user_id and e.word >= prefix collate "C" order by e.word limit 1)
      and (viewer_teams is null or (select reaches_user(app, viewer_teams, u.teams) from users u where u.app_id = app and u.id = w.user_id))
      and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = viewer and b.blocked_id = w.user_id))
      and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = w.user_id and b.blocked_id = viewer))
    order by w.word, w.user_id
    limit least(max_rows, 101);
  if mates is null then return; end if;
  return query
    select f.word, f.user_id from (
      select m.user_id, (select e.word from user_words e where e.app_id = app and e.user_id = m.user_id and e.word >= prefix collate "C"
                         order by e.word limit 1) as word
      from unnest(mates) m (user_id)) f
    where f.word < (prefix || U&'\+10FFFF') collate "C"
      and (f.word, f.user_id) > (greatest(after_word collate "C", prefix collate "C"), after_user)
      and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = viewer and b.blocked_id = f.user_id))
      and (viewer is null or not exists (select 1 from user_blocks b where b.app_id = app and b.user_id = f.user_id and b.blocked_id = viewer))
    order by f.word, f.user_id
    limit least(max_rows, 101);
end $$;
revoke execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) from public;
grant execute on function search_users(uuid, uuid, jsonb, text, text, uuid, integer) to chat_server;
