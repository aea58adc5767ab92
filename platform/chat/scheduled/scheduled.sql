-- name: lock_owner
-- $1 app  $2 user.  Whoever schedules at once for one user waits here, so that the limit holds.
select 1 from users where app_id = $1 and id = $2 for no key update

-- name: count_scheduled
-- $1 app  $2 user
select count(*) from scheduled_messages where app_id = $1 and user_id = $2

-- name: insert_scheduled
-- $1 app  $2 id  $3 user  $4 channel  $5 by a server  $6 message  $7 send at  $8 now
insert into scheduled_messages (app_id, id, user_id, channel_id, by_server, message, send_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- name: get_scheduled
-- $1 app  $2 id  $3 user_id, or ''  $4 now
select s.id, c.type, c.channel_id, u.user_id, s.message::text, s.send_at, coalesce(s.claimed_until > $4, false), s.failed_code,
  s.failed_detail, s.created_at, s.updated_at, s.by_server
from scheduled_messages s
join channels c on c.app_id = s.app_id and c.id = s.channel_id
join users u on u.app_id = s.app_id and u.id = s.user_id
where s.app_id = $1 and s.id = $2 and ($3 = '' or u.user_id = $3)
for update of s

-- name: update_scheduled
-- $1 app  $2 id  $3 message  $4 send at  $5 now; NULL keeps. A failed one waits again.
update scheduled_messages set message = coalesce($3::jsonb, message), send_at = coalesce($4, send_at), updated_at = $5,
  failed_code = null, failed_detail = null, claimed_until = null
where app_id = $1 and id = $2

-- name: delete_scheduled
-- $1 app  $2 id
delete from scheduled_messages where app_id = $1 and id = $2

-- name: fail_scheduled
-- $1 app  $2 id  $3 code  $4 detail  $5 now
update scheduled_messages set failed_code = $3, failed_detail = $4, claimed_until = null, updated_at = $5 where app_id = $1 and id = $2

-- name: list_scheduled
-- $1 app  $2 user_id  $3 at most  $4 $5 time and id of the last one before, or NULL  $6 now
select s.id, c.type, c.channel_id, u.user_id, s.message::text, s.send_at, coalesce(s.claimed_until > $6, false), s.failed_code,
  s.failed_detail, s.created_at, s.updated_at, s.by_server
from users u
join scheduled_messages s on s.app_id = u.app_id and s.user_id = u.id
join channels c on c.app_id = s.app_id and c.id = s.channel_id
where u.app_id = $1 and u.user_id = $2 and ($4::timestamptz is null or (s.send_at, s.id) > ($4, $5::uuid))
order by s.send_at, s.id limit $3

-- name: claim_due
-- $1 until  $2 lease  $3 at most
select app_id, id from claim_scheduled_messages($1, $2::interval, $3)
