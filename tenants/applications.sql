-- name: insert_application
-- $1 app  $2 name  $3 plan  $4 settings  $5 now.  No row: no such plan.
insert into applications (app_id, name, plan_id, settings, created_at, updated_at)
select $1, $2, p.plan_id, $4::jsonb, $5, $5 from plans p where p.plan_id = $3
returning app_id

-- name: insert_first_channel_types
-- $1 app  $2 now
insert into channel_types (app_id, type, settings, created_at, updated_at)
values ($1, 'messaging', '{}', $2, $2), ($1, 'team', '{}', $2, $2), ($1, 'livestream', '{"open": true, "large": true, "push": false}', $2, $2)

-- name: find_by_name
-- $1 name.  Two rows: not unique.
select app_id from find_applications_by_name($1)

-- name: get_application
-- $1 app.  No row: no such application.
select app_id, name, status, coalesce(status_reason, ''), plan_id, settings::text, limits::text, created_at, updated_at
from applications where app_id = $1

-- name: list_applications
-- $1 after (app id)  $2 status  $3 at most
select app_id, name, status, coalesce(status_reason, ''), plan_id, settings::text, limits::text, created_at, updated_at
from list_applications($1, $2, $3)

-- name: update_application
-- $1 app  $2 name  $3 plan  $4 settings  $5 limits  $6 now; NULL keeps.  No row: no such application, or deleted.
update applications set name = coalesce($2, name), plan_id = coalesce($3, plan_id),
  settings = coalesce($4::jsonb, settings), limits = coalesce($5::jsonb, limits), updated_at = $6
where app_id = $1 and status <> 'deleted'
returning app_id

-- name: plan_exists
-- $1 plan
select 1 from plans where plan_id = $1

-- name: lock_status
-- $1 app.  No row: no such application.
select status from applications where app_id = $1 for update

-- name: set_status
-- $1 app  $2 status  $3 reason  $4 now
update applications set status = $2, status_reason = nullif($3, ''), updated_at = $4 where app_id = $1

-- name: revoke_application
-- $1 app  $2 before
update applications set revoked_before = greatest(revoked_before, $2::timestamptz) where app_id = $1

-- name: count_revocations
-- $1 app  $2 user: how many others stand
select count(*) from user_revocations where app_id = $1 and user_id <> $2

-- name: revoke_user
-- $1 app  $2 user  $3 before
insert into user_revocations (app_id, user_id, revoked_before) values ($1, $2, $3)
on conflict (app_id, user_id) do update set revoked_before = greatest(user_revocations.revoked_before, excluded.revoked_before)

-- name: set_user_deactivated
-- $1 app  $2 user  $3 now  $4 deactivated
insert into user_revocations (app_id, user_id, revoked_before, deactivated) values ($1, $2, $3, $4)
on conflict (app_id, user_id) do update set deactivated = excluded.deactivated,
  revoked_before = greatest(user_revocations.revoked_before, excluded.revoked_before)

-- name: set_user_ban
-- $1 app  $2 user  $3 banned until, or NULL.  Tokens issued before stay good for afterwards.
insert into user_revocations (app_id, user_id, revoked_before, banned_until) values ($1, $2, 'epoch', $3)
on conflict (app_id, user_id) do update set banned_until = excluded.banned_until
