-- name: list_push_templates
-- $1 app
select event, language, title, body, created_at, updated_at from push_templates where app_id = $1 order by event, language

-- name: count_push_templates
-- $1 app
select count(*) from push_templates where app_id = $1

-- name: save_push_template
-- $1 app  $2 event  $3 language  $4 title  $5 body  $6 now.  Row: whether it is new.
insert into push_templates (app_id, event, language, title, body, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
on conflict (app_id, event, language) do update set title = excluded.title, body = excluded.body, updated_at = excluded.updated_at
returning xmax = 0, created_at

-- name: delete_push_template
-- $1 app  $2 event  $3 language
delete from push_templates where app_id = $1 and event = $2 and language = $3
