-- name: keep_event
-- $1 app  $2 id  $3 type  $4 channel or NULL  $5 user_id or NULL  $6 data  $7 created_at.  Writes nothing where no endpoint wants it, nor twice.
insert into outbox (app_id, id, type, channel_id, user_id, body, created_at)
select $1, $2, $3, $4, $5, $6, $7
where exists (select 1 from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, $3))
on conflict (app_id, id) do nothing
