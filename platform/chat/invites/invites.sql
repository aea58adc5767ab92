-- name: lock_invitees
-- $1 app  $2 user_ids[]  $3 inviter, or NULL.  In one order; a statement before find_invitees, which so sees what changed until now: a block
-- locks the one who blocks (users, lock_relations), and the limit of each invitee holds.
select id from users where app_id = $1 and (user_id = any ($2::text[]) or id = $3) order by id for no key update

-- name: find_invitees
-- $1 app  $2 channel  $3 user_ids[]  $4 inviter, or NULL.  Those that exist and are in reach of both.
-- Last: member, anonymous, blocked (one of the two blocks the other), pending (invited already), or free.
select u.user_id, u.id, case
    when exists (select from channel_members m where m.app_id = $1 and m.channel_id = $2 and m.user_id = u.id) then 'member'
    when u.type = 'anonymous' then 'anonymous'
    when exists (select from user_blocks b where b.app_id = $1 and ((b.user_id = u.id and b.blocked_id = $4::uuid)
                                                                     or (b.user_id = $4 and b.blocked_id = u.id))) then 'blocked'
    when exists (select from channel_invites i where i.app_id = $1 and i.channel_id = $2 and i.user_id = u.id and i.state = 'pending') then 'pending'
    else 'free' end
from users u
join channels c on c.app_id = $1 and c.id = $2 and reaches_channel($1, u.teams, c.team, c.cross_team)
left join users v on v.app_id = $1 and v.id = $4
where u.app_id = $1 and u.user_id = any ($3::text[]) and u.deleted_at is null and ($4 is null or reaches_user($1, v.teams, u.teams))

-- name: count_pending
-- $1 app  $2 channel  $3 users[].  Of the channel, and of each of the users.
select null::uuid, count(*) from channel_invites where app_id = $1 and channel_id = $2 and state = 'pending'
union all
select user_id, count(*) from channel_invites where app_id = $1 and user_id = any ($3::uuid[]) and state = 'pending' group by user_id

-- name: put_invites
-- $1 app  $2 channel  $3 users[]  $4 roles[]  $5 inviter, or NULL  $6 text  $7 now.  A new one takes the place of an answered one.
insert into channel_invites (app_id, channel_id, user_id, invited_by, role, text, state, created_at)
select $1, $2, i.user_id, $5, i.role, $6, 'pending', $7 from unnest($3::uuid[], $4::text[]) as i (user_id, role)
on conflict (app_id, channel_id, user_id) do update set invited_by = excluded.invited_by, role = excluded.role, text = excluded.text,
  state = 'pending', created_at = excluded.created_at, answered_at = null

-- name: get_invites
-- $1 app  $2 channel  $3 user_ids[]
select cid, name, image, member_count, user_id, invited_by, role, text, state, created_at, answered_at, invitee, channel_id
from invites_shown where app_id = $1 and channel_id = $2 and user_id = any ($3::text[])

-- name: answer_invite
-- $1 app  $2 channel  $3 user  $4 state  $5 now
update channel_invites set state = $4, answered_at = $5 where app_id = $1 and channel_id = $2 and user_id = $3

-- name: delete_invite
-- $1 app  $2 channel  $3 user
delete from channel_invites where app_id = $1 and channel_id = $2 and user_id = $3

-- name: find_member
-- $1 app  $2 channel  $3 user.  A row: a member.
select 1 from channel_members where app_id = $1 and channel_id = $2 and user_id = $3

-- name: find_ban
-- $1 app  $2 channel  $3 user.  A row: banned, and not in the shadow.
select 1 from bans_in_force where app_id = $1 and user_id = $3 and (channel_id = $2 or channel_id is null) and not shadow limit 1

-- name: list_channel_invites
-- $1 app  $2 channel  $3 state  $4 $5 time and user (id) of the last one before, or NULL  $6 at most.  Newest first.
select cid, name, image, member_count, user_id, invited_by, role, text, state, created_at, answered_at, invitee, channel_id
from invites_shown
where app_id = $1 and channel_id = $2 and state = $3 and ($4::timestamptz is null or (created_at, invitee) < ($4, $5::uuid))
order by created_at desc, invitee desc limit $6

-- name: list_own_invites
-- $1 app  $2 user  $3 state  $4 $5 time and channel of the last one before, or NULL  $6 at most.  Newest first.
select cid, name, image, member_count, user_id, invited_by, role, text, state, created_at, answered_at, invitee, channel_id
from invites_shown s
where app_id = $1 and invitee = $2 and state = $3 and ($4::timestamptz is null or (created_at, channel_id) < ($4, $5::uuid))
  and exists (select from channels c join users v on v.app_id = $1 and v.id = $2
              where c.app_id = $1 and c.id = s.channel_id and reaches_channel($1, v.teams, c.team, c.cross_team))
  and not exists (select from user_blocks b where b.app_id = $1 and ((b.user_id = $2 and b.blocked_id = s.inviter)
                                                                      or (b.user_id = s.inviter and b.blocked_id = $2)))
order by created_at desc, channel_id desc limit $6
