-- name: keep_words
-- $1 app  $2 user_ids[].  What these users are found by, as they are now; those who are out are not found.
with mine as (
  select u.id, w.word from users u, words_of_user(u.user_id, u.username, u.name) as w (word)
  where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null and u.deactivated_at is null
), gone as (
  delete from user_words x using users u
  where u.app_id = $1 and u.user_id = any ($2::text[]) and x.app_id = $1 and x.user_id = u.id
    and not exists (select 1 from mine where mine.id = x.user_id and mine.word = x.word collate "C"))
insert into user_words (app_id, word, user_id) select $1, word, id from mine on conflict do nothing

-- name: search_users
-- $1 app  $2 viewer's user_id, or '': sees everybody  $3 what was typed  $4 after word  $5 after user (id)  $6 at most
select u.user_id, u.name, u.image, u.role, u.custom::text, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.last_active_at,
  u.username, u.email, u.bio, u.type, u.invisible, u.messages_hidden_at, u.teams::text, f.word, u.id
from search_users($1, (select v.id from users v where v.app_id = $1 and v.user_id = $2),
  case when $2 <> '' then coalesce((select v.teams from users v where v.app_id = $1 and v.user_id = $2), '{}') end, left(lower(normalize($3, NFKC)), 64), $4, $5, $6) f
join users u on u.app_id = $1 and u.id = f.id
order by f.word collate "C", u.id
