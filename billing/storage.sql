-- name: move_storage
-- $1 app  $2 reserved, more or less  $3 stored, more or less  $4 hard limit  $5 now.  False: over the limit, and nothing changed.
select move_storage($1, $2, $3, $4, $5)

-- name: stored_bytes
-- $1 app.  No row: never had a file.
select stored_bytes from storage_accounts where app_id = $1

-- name: settle_storage
-- $1 applications at most
select settle_storage($1)
