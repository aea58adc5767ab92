-- Users found by the beginning of a word, as one types.
-- Locks: users is read once. Time on 10 million rows: filling user_words, some minutes; writing users waits for it.

create table user_words (
  app_id uuid not null,
  word text collate "C" not null,              -- folded: user_id, username, the whole name, each word of it
  user_id uuid not null,
  primary key (app_id, word, user_id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index user_words_by_user on user_words (app_id, user_id, word);   -- a user's own words: replaced, and met only once
select make_tenant_table('user_words');

-- What a user is found by: at most 11 words of 64 characters.
create function words_of_user(user_id text, username text, name text) returns setof text
language sql immutable as $$
  select distinct left(word, 64) from (
    select lower(normalize(value, NFKC)) from unnest(array[user_id, username, name]) as v (value)
    union all
    (select w from regexp_split_to_table(lower(normalize(name, NFKC)), '\s+') as w limit 8)) as words (word)
  where word <> ''
$$;
grant execute on function words_of_user(text, text, text) to chat_server;

-- Reason to run as the owner: `<` on text with a collation of its own is no condition that an index may serve under row-level
-- security. So the tenant is an argument, and the one who asks; a viewer of null sees everybody.
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

insert into user_words (app_id, word, user_id)
select u.app_id, w.word, u.id from users u, words_of_user(u.user_id, u.username, u.name) as w (word)
where u.deleted_at is null and u.deactivated_at is null;
