-- name: find_standings
-- $1 app  $2 viewer's user_id, or '' for a server  $3 user_ids[].  Which of them the viewer can reach, whether it may see where they are,
-- and when they were last active.
select u.user_id,
  $2 = '' or u.user_id = $2 or (not u.invisible and not exists (
    select from user_blocks b where b.app_id = $1 and b.user_id = v.id and b.blocked_id = u.id
    union all select from user_blocks b where b.app_id = $1 and b.user_id = u.id and b.blocked_id = v.id)),
  u.last_active_at
from users u
left join users v on v.app_id = $1 and v.user_id = $2
where u.app_id = $1 and u.user_id = any ($3::text[]) and u.deleted_at is null
  and ($2 = '' or u.user_id = $2 or reaches_user($1, coalesce(v.teams, '{}'), u.teams))

-- name: find_members_to_look_for
-- $1 app  $2 channel  $3 at most.  Some members of the channel.
select user_id from members_shown where app_id = $1 and channel_id = $2 and not suspended order by id limit $3

-- name: find_changed
-- $1 app  $2 user_ids[].  Which of them exist, are invisible, and when they were last active.
select user_id, invisible, last_active_at from users where app_id = $1 and user_id = any ($2::text[]) and deleted_at is null

-- name: find_apart
-- $1 app  $2 users[]  $3 their followers[]; pairs.  Those between whom a block stands, or teams.
select pair.user_id, pair.follower from unnest($2::text[], $3::text[]) as pair (user_id, follower)
join users u on u.app_id = $1 and u.user_id = pair.user_id
join users f on f.app_id = $1 and f.user_id = pair.follower
where not (u.id = f.id or reaches_user($1, f.teams, u.teams))
   or exists (select from user_blocks b where b.app_id = $1 and b.user_id = u.id and b.blocked_id = f.id)
   or exists (select from user_blocks b where b.app_id = $1 and b.user_id = f.id and b.blocked_id = u.id)

-- name: touch_seen
-- $1 app  $2 user_ids[]  $3 times[].  When their last device left.
update users u set last_active_at = seen.at from unnest($2::text[], $3::timestamptz[]) as seen (user_id, at)
where u.app_id = $1 and u.user_id = seen.user_id and (u.last_active_at is null or u.last_active_at < seen.at)
