-- name: find_operator
-- $1 hash of the token, hex.  No row: nobody's, or revoked.
select id, name, role, last_used_at from operators where token_hash = decode($1, 'hex') and revoked_at is null

-- name: note_operator_use
-- $1 id  $2 now
update operators set last_used_at = $2 where id = $1

-- name: insert_operator
-- $1 id  $2 name  $3 role  $4 hash, hex  $5 by whom  $6 now.  No row: the name is taken.
insert into operators (id, name, role, token_hash, created_by, created_at)
values ($1, $2, $3, decode($4, 'hex'), $5, $6)
on conflict (name) where revoked_at is null do nothing
returning id, name, role, created_by, created_at, last_used_at, revoked_at

-- name: revoke_operator
-- $1 id  $2 now.  No row: no such operator, or revoked.
update operators set revoked_at = $2 where id = $1 and revoked_at is null
returning id, name, role, created_by, created_at, last_used_at, revoked_at

-- name: list_operators
-- $1 after (id)  $2 at most
select id, name, role, created_by, created_at, last_used_at, revoked_at from operators
where $1::uuid is null or id > $1 order by id limit $2
