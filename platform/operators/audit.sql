-- name: hold_object
-- $1 object.  Changes of it come one by one.
select pg_advisory_xact_lock(hashtextextended($1, 8))

-- name: add_audit
-- $1 operator  $2 role  $3 action  $4 object  $5 before  $6 after  $7 address  $8 request id.  A trigger numbers and links it.
insert into operator_audit (at, operator, role, action, object, before, after, address, request_id)
values (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8)

-- name: list_audit
-- $1 before (seq)  $2 operator  $3 action  $4 object  $5 since  $6 until  $7 at most; NULL: any
select seq, at, operator, role, action, object, before, after, address, request_id, previous, hash from operator_audit
where ($1::bigint is null or seq < $1) and ($2::text is null or operator = $2) and ($3::text is null or action = $3)
  and ($4::text is null or object = $4) and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
order by seq desc limit $7

-- name: audit_after
-- $1 after (seq)  $2 at most
select seq, at, operator, role, action, object, before, after, address, request_id, previous, hash from operator_audit
where seq > $1 order by seq limit $2

-- name: audit_hash
-- $1 seq
select hash from operator_audit where seq = $1

-- name: audit_head
select seq, hash from operator_audit_head
