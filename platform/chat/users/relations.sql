-- name: lock_relations
-- $1 app  $2 user_id.  No row: no such user, or deleted. Held to the end: a user's blocks and mutes change one by one.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null for no key update

-- name: find_target
-- $1 app  $2 user_id.  No row: no such user. Deleted ones too: their blocks can be lifted.
select id from users where app_id = $1 and user_id = $2

-- name: find_target_in_reach
-- $1 app  $2 user_id  $3 whose target.  No row: no such user, or out of reach.
select u.id from users u join users v on v.app_id = $1 and v.id = $3
where u.app_id = $1 and u.user_id = $2 and reaches_user($1, v.teams, u.teams)

-- name: lock_pair
-- $1 app  $2 user  $3 user.  Against a direct channel of the two that is made at this moment (channels.lock_pair).
select pg_advisory_xact_lock(hashtextextended($1::text || least($2::text, $3::text) || greatest($2::text, $3::text), 5))

-- name: count_blocks
-- $1 app  $2 user
select count(*) from user_blocks where app_id = $1 and user_id = $2

-- name: insert_block
-- $1 app  $2 user  $3 blocked  $4 now.  No row: it stands already.
insert into user_blocks (app_id, user_id, blocked_id, created_at) values ($1, $2, $3, $4) on conflict do nothing returning created_at

-- name: get_block
-- $1 app  $2 user  $3 blocked
select created_at from user_blocks where app_id = $1 and user_id = $2 and blocked_id = $3

-- name: delete_block
-- $1 app  $2 user  $3 blocked
delete from user_blocks where app_id = $1 and user_id = $2 and blocked_id = $3

-- name: mark_direct_channels
-- $1 app  $2 user  $3 user.  The distinct channels of these two: blocked while one blocks the other.
with direct as (
  select a.channel_id from channel_members a
  join channel_members b on b.app_id = a.app_id and b.channel_id = a.channel_id and b.user_id = $3
  where a.app_id = $1 and a.user_id = $2
), state as (
  select exists (select 1 from user_blocks where app_id = $1 and user_id = $2 and blocked_id = $3)
      or exists (select 1 from user_blocks where app_id = $1 and user_id = $3 and blocked_id = $2) as blocked)
update channels c set blocked = state.blocked from state
where c.app_id = $1 and c.is_distinct and c.blocked <> state.blocked and c.id in (select channel_id from direct)

-- name: list_blocks
-- $1 app  $2 user  $3 after user (id), or NULL  $4 at most
select u.id, u.user_id, b.created_at from user_blocks b
join users u on u.app_id = b.app_id and u.id = b.blocked_id
where b.app_id = $1 and b.user_id = $2 and ($3::uuid is null or b.blocked_id > $3) order by b.blocked_id limit $4

-- name: forget_expired_mutes
-- $1 app  $2 user  $3 now
delete from user_mutes where app_id = $1 and user_id = $2 and expires_at <= $3

-- name: count_mutes
-- $1 app  $2 user  $3 but not of this one
select count(*) from user_mutes where app_id = $1 and user_id = $2 and muted_id <> $3

-- name: put_mute
-- $1 app  $2 user  $3 muted  $4 expires_at or NULL  $5 now
insert into user_mutes (app_id, user_id, muted_id, expires_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
on conflict (app_id, user_id, muted_id) do update set expires_at = excluded.expires_at, updated_at = excluded.updated_at
returning expires_at, created_at, updated_at

-- name: delete_mute
-- $1 app  $2 user  $3 muted  $4 now: one that is over counts as lifted.
delete from user_mutes where app_id = $1 and user_id = $2 and muted_id = $3 and (expires_at is null or expires_at > $4)

-- name: list_mutes
-- $1 app  $2 user  $3 after user (id), or NULL  $4 at most  $5 now
select u.id, u.user_id, m.expires_at, m.created_at, m.updated_at from user_mutes m
join users u on u.app_id = m.app_id and u.id = m.muted_id
where m.app_id = $1 and m.user_id = $2 and ($3::uuid is null or m.muted_id > $3) and (m.expires_at is null or m.expires_at > $5)
order by m.muted_id limit $4
