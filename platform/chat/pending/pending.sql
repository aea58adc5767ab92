-- name: lock_author
-- $1 app  $2 user_id.  No row: gone. Whoever sends at once for one user waits here, so that the limit holds.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null for no key update

-- name: find_held
-- $1 app  $2 channel type  $3 channel id  $4 user  $5 nonce key  $6 fingerprint.  No row: not held.
select p.id, p.fingerprint = $6 from pending_messages p join channels c on c.app_id = p.app_id and c.id = p.channel_id
where p.app_id = $1 and c.type = $2 and c.channel_id = $3 and c.deleted_at is null and p.user_id = $4 and p.nonce_key = $5

-- name: count_pending
-- $1 app  $2 user
select count(*) from pending_messages where app_id = $1 and user_id = $2 and status = 'pending'

-- name: insert_pending
-- $1 app  $2 id  $3 channel type  $4 channel id  $5 user  $6 message  $7 nonce  $8 nonce key  $9 fingerprint  $10 now  $11 expires at  $12 findings, or NULL
insert into pending_messages (app_id, id, channel_id, user_id, message, nonce, nonce_key, fingerprint, status, created_at, updated_at, expires_at, findings)
select $1, $2, c.id, $5, $6::jsonb, $7, $8, $9, 'pending', $10, $10, $11, $12::jsonb from channels c
where c.app_id = $1 and c.type = $3 and c.channel_id = $4 and c.deleted_at is null

-- name: get_pending
-- $1 app  $2 id.  No row: none. Locks it.
select p.id, p.channel_id, c.type, c.channel_id, u.user_id, p.message::text, p.status, d.user_id, p.reason, p.created_at, p.updated_at,
  p.expires_at, p.nonce, p.nonce_key, p.fingerprint, p.findings::text
from pending_messages p
join channels c on c.app_id = p.app_id and c.id = p.channel_id and c.deleted_at is null
join users u on u.app_id = p.app_id and u.id = p.user_id
left join users d on d.app_id = p.app_id and d.id = p.decided_by
where p.app_id = $1 and p.id = $2 for update of p

-- name: list_of_channel
-- $1 app  $2 channel  $3 at most  $4 id of the last one before, or NULL
select p.id, p.channel_id, c.type, c.channel_id, u.user_id, p.message::text, p.status, d.user_id, p.reason, p.created_at, p.updated_at,
  p.expires_at, p.nonce, p.nonce_key, p.fingerprint, p.findings::text
from pending_messages p
join channels c on c.app_id = p.app_id and c.id = p.channel_id
join users u on u.app_id = p.app_id and u.id = p.user_id
left join users d on d.app_id = p.app_id and d.id = p.decided_by
where p.app_id = $1 and p.channel_id = $2 and p.status <> 'rejected' and ($4::uuid is null or p.id > $4) order by p.id limit $3

-- name: list_of_user
-- $1 app  $2 user_id  $3 at most  $4 id of the last one before, or NULL
select p.id, p.channel_id, c.type, c.channel_id, u.user_id, p.message::text, p.status, d.user_id, p.reason, p.created_at, p.updated_at,
  p.expires_at, p.nonce, p.nonce_key, p.fingerprint, p.findings::text
from users u
join pending_messages p on p.app_id = $1 and p.user_id = u.id
join channels c on c.app_id = $1 and c.id = p.channel_id and c.deleted_at is null
left join users d on d.app_id = $1 and d.id = p.decided_by
where u.app_id = $1 and u.user_id = $2 and ($4::uuid is null or p.id > $4) order by p.id limit $3

-- name: decide
-- $1 app  $2 id  $3 status  $4 user, or NULL  $5 reason, or NULL  $6 now  $7 expires at
update pending_messages set status = $3, decided_by = $4, reason = $5, updated_at = $6, expires_at = $7, claimed_until = null
where app_id = $1 and id = $2

-- name: forget_pending
-- $1 app  $2 id
delete from pending_messages where app_id = $1 and id = $2

-- name: list_moderators
-- $1 app  $2 channel  $3 roles[]  $4 at most
select u.user_id from channel_members m join users u on u.app_id = m.app_id and u.id = m.user_id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and reaches_channel($1, u.teams, c.team, c.cross_team)
where m.app_id = $1 and m.channel_id = $2 and m.role in (select unnest($3::text[])) and u.deleted_at is null and u.deactivated_at is null
order by m.user_id limit $4

-- name: claim_approved
-- $1 now  $2 lease  $3 at most
select app_id, id from claim_approved_messages($1, $2::interval, $3)

-- name: undecided
-- $1 now  $2 at most
select app_id, id from undecided_messages($1, $2)

-- name: sweep_rejected
-- $1 at most.  How many.
select sweep_rejected_messages($1)
