-- name: lock_application
-- $1 app.  One change of its secrets at a time. No row: no such application.
select 1 from applications where app_id = $1 and status in ('active', 'suspended') for update

-- name: list_secrets
-- $1 app  $2 now.  Live ones, newest first.
select id, created_at, expires_at, last_used_at from application_secrets
where app_id = $1 and (expires_at is null or expires_at > $2)
order by created_at desc, id desc

-- name: insert_secret
-- $1 app  $2 id  $3 sealed, hex  $4 now
insert into application_secrets (app_id, id, sealed, created_at) values ($1, $2, decode($3, 'hex'), $4)

-- name: expire_other_secrets
-- $1 app  $2 the one that stays  $3 end
update application_secrets set expires_at = least(expires_at, $3::timestamptz) where app_id = $1 and id <> $2

-- name: expire_secret
-- $1 app  $2 id  $3 end  $4 now.  No row: no such secret, or dead.
update application_secrets set expires_at = least(expires_at, $3::timestamptz)
where app_id = $1 and id = $2 and (expires_at is null or expires_at > $4)
returning id, created_at, expires_at, last_used_at

-- name: forget_dead_secrets
-- $1 app  $2 ended before
delete from application_secrets where app_id = $1 and expires_at < $2

-- name: note_secret_uses
-- $1 app  $2 ids[]  $3 when[]
update application_secrets s set last_used_at = greatest(s.last_used_at, u.at)
from unnest($2::uuid[], $3::timestamptz[]) as u (id, at) where s.app_id = $1 and s.id = u.id

-- name: delete_secret
-- $1 app  $2 id.  No row: no such secret.
delete from application_secrets where app_id = $1 and id = $2 returning id
