-- name: find_translation
-- $1 app  $2 channel  $3 message  $4 language.  The text in it, or NULL; how many other languages there are.
select extras -> 'translations' ->> $4, (select count(*) from jsonb_object_keys(coalesce(extras -> 'translations', '{}') - $4))
from messages where app_id = $1 and channel_id = $2 and id = $3

-- name: put_translation
-- $1 app  $2 channel  $3 message  $4 language  $5 text
update messages set extras = coalesce(extras, '{}') || jsonb_build_object('translations',
  coalesce(extras -> 'translations', '{}') || jsonb_build_object($4::text, $5::text))
where app_id = $1 and channel_id = $2 and id = $3

-- name: delete_translation
-- $1 app  $2 channel  $3 message  $4 language
update messages set extras = case
  when extras -> 'translations' = jsonb_build_object($4::text, extras -> 'translations' -> $4) then nullif(extras - 'translations', '{}')
  else extras #- array['translations', $4] end
where app_id = $1 and channel_id = $2 and id = $3
