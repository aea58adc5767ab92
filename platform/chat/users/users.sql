-- name: upsert_users
-- $1 app  $2 ids[]  $3 user_ids[]  $4 names[]  $5 images[]  $6 roles[]  $7 customs[]  $8 now; NULL keeps.
-- A missing row: the user is deleted.
insert into users as u (app_id, id, user_id, name, image, role, custom, created_at, updated_at)
select $1, i.id, i.user_id, i.name, i.image, coalesce(i.role, 'user'), coalesce(i.custom::jsonb, '{}'), $8, $8
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  as i (id, user_id, name, image, role, custom)
on conflict (app_id, user_id) do update set
  name = coalesce(excluded.name, u.name),
  image = coalesce(excluded.image, u.image),
  role = case when (select x.r from unnest($3::text[], $6::text[]) as x (id, r) where x.id = u.user_id) is null
              then u.role else excluded.role end,
  custom = case when (select x.c from unnest($3::text[], $7::text[]) as x (id, c) where x.id = u.user_id) is null
                then u.custom else excluded.custom end,
  updated_at = excluded.updated_at
where u.deleted_at is null
returning user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at,
  xmax = 0 as created

-- name: get_user
-- $1 app  $2 user_id.  No row: no such user.
select user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at
from users where app_id = $1 and user_id = $2

-- name: lock_user
-- $1 app  $2 user_id.  No row: no such user, or deleted.
select id, deactivated_at is not null from users
where app_id = $1 and user_id = $2 and deleted_at is null for update

-- name: find_users
-- $1 app  $2 user_ids[]
select user_id, id from users where app_id = $1 and user_id = any ($2::text[]) and deleted_at is null

-- name: update_user
-- $1 app  $2 user_id  $3 name  $4 image  $5 role  $6 custom  $7 unset[]  $8 unset keys of custom[]  $9 now; NULL keeps.
update users set
  name = case when 'name' = any ($7::text[]) then null else coalesce($3, name) end,
  image = case when 'image' = any ($7::text[]) then null else coalesce($4, image) end,
  role = coalesce($5, role),
  custom = case when 'custom' = any ($7::text[]) then '{}' else (custom || coalesce($6::jsonb, '{}')) - $8::text[] end,
  updated_at = $9
where app_id = $1 and user_id = $2 and deleted_at is null
returning user_id, name, image, role, custom::text, created_at, updated_at, deactivated_at, deleted_at, last_active_at

-- name: set_deactivated
-- $1 app  $2 user_id  $3 deactivated_at or NULL  $4 now
update users set deactivated_at = $3, updated_at = $4 where app_id = $1 and user_id = $2

-- name: delete_user
-- $1 app  $2 user_id  $3 hard  $4 now
update users set deleted_at = $4, updated_at = $4,
  name = case when $3 then null else name end, image = case when $3 then null else image end,
  custom = case when $3 then '{}' else custom end
where app_id = $1 and user_id = $2

-- name: request_erasure
-- $1 app  $2 user  $3 now
insert into user_erasures (app_id, user_id, requested_at) values ($1, $2, $3) on conflict do nothing

-- name: query_users
-- $1 app
select u.id, u.user_id, u.name, u.image, u.role, u.custom::text, u.created_at, u.updated_at, u.deactivated_at,
  u.deleted_at, u.last_active_at
from users u
where u.app_id = $1 and u.deleted_at is null
