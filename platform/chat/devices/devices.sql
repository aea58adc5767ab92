-- name: lock_device_owner
-- $1 app  $2 user_id.  Whoever registers at once for one user waits here, so that the limit holds.  No row: no such user.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null for no key update

-- name: lock_token
-- $1 app  $2 token key, hex.  Whoever registers one token at once waits here: the last one has it.
select pg_advisory_xact_lock(hashtextextended($1 || $2, 0))

-- name: take_token
-- $1 app  $2 token key, hex  $3 user  $4 device.  A token that another device had is its no longer.
delete from user_devices where app_id = $1 and token_key = decode($2, 'hex') and (user_id <> $3 or device_id <> $4)

-- name: save_device
-- $1 app  $2 user  $3 device  $4 provider  $5 its name  $6 platform  $7 token  $8 token key, hex  $9 now.  Row: whether it is new.
insert into user_devices (app_id, user_id, device_id, provider, provider_name, platform, token, token_key, created_at, seen_at)
values ($1, $2, $3, $4, $5, $6, $7, decode($8, 'hex'), $9, $9)
on conflict (app_id, user_id, device_id) do update set provider = excluded.provider, provider_name = excluded.provider_name,
  platform = excluded.platform, token = excluded.token, token_key = excluded.token_key, seen_at = excluded.seen_at
returning xmax = 0

-- name: evict_devices
-- $1 app  $2 user  $3 how many stay
delete from user_devices where app_id = $1 and user_id = $2 and device_id in (
  select device_id from user_devices where app_id = $1 and user_id = $2 order by seen_at desc, device_id desc offset $3)

-- name: list_devices
-- $1 app  $2 user_id  $3 device, or NULL: all.  No row with a NULL device: the user has none; no row: no such user.
select d.device_id, d.provider, d.provider_name, d.platform, d.token, d.created_at, d.seen_at
from users u left join user_devices d on d.app_id = u.app_id and d.user_id = u.id and ($3::text is null or d.device_id = $3)
where u.app_id = $1 and u.user_id = $2 and u.deleted_at is null
order by d.seen_at desc, d.device_id desc

-- name: delete_device
-- $1 app  $2 user_id  $3 device
delete from user_devices d using users u
where d.app_id = $1 and u.app_id = $1 and u.user_id = $2 and d.user_id = u.id and d.device_id = $3

-- name: forget_dead_device
-- $1 app  $2 user  $3 device  $4 token key, hex
delete from user_devices where app_id = $1 and user_id = $2 and device_id = $3 and token_key = decode($4, 'hex')

-- name: expire_devices
-- $1 at most
select expire_devices($1)
