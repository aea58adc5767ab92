-- name: hold_setup
-- $1 app.  Its customer's changes of how it is set up come one by one.
select pg_advisory_xact_lock(hashtextextended($1::text, 7))

-- name: add_own_audit
-- $1 app  $2 id  $3 now  $4 action  $5 object  $6 before  $7 after  $8 address  $9 request id
insert into application_audit (app_id, id, at, action, object, before, after, address, request_id)
values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9)

-- name: list_own_audit
-- $1 app  $2 before (id)  $3 action, or NULL  $4 at most
select id, at, action, object, before::text, after::text, address, request_id from application_audit
where app_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or action = $3)
order by id desc limit $4

-- name: sweep_own_audit
-- $1 older than  $2 at most
select sweep_application_audit($1, $2)
