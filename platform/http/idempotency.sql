-- name: lock_key
-- $1 what names the key.   False: a twin of this request is running. Held until the transaction ends.
select pg_try_advisory_xact_lock(hashtextextended($1, 1768189040));

-- name: find_answer
-- $1 app  $2 principal  $3 operation  $4 key.   No row: the key is new.
select fingerprint, status, content_type, body
from idempotency_keys
where app_id = $1 and principal = $2 and operation = $3 and key = $4;

-- name: keep_answer
-- $1 app  $2 principal  $3 operation  $4 key  $5 fingerprint in hex  $6 status  $7 content type  $8 body
insert into idempotency_keys (app_id, principal, operation, key, fingerprint, status, content_type, body, created_at)
values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, now());

-- name: sweep_keys
-- $1 most rows to delete.   How many keys older than 24 hours were deleted, over all applications.
select sweep_idempotency_keys($1);
