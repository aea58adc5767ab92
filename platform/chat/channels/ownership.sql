-- name: list_owners
-- $1 app  $2 channel.  Oldest first.
select user_id from members_shown where app_id = $1 and channel_id = $2 and role = 'owner' order by created_at, id

-- name: set_role
-- $1 app  $2 channel  $3 user_id  $4 role  $5 now
update channel_members m set role = $4, updated_at = $5 from users u
where u.app_id = $1 and u.user_id = $3 and m.app_id = $1 and m.channel_id = $2 and m.user_id = u.id

-- name: find_successor
-- $1 app  $2 channel  $3 preferred user_id, or ''.  No row: nobody can own it.
select u.user_id from channel_members m join users u on u.app_id = m.app_id and u.id = m.user_id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and reaches_channel($1, u.teams, c.team, c.cross_team)
where m.app_id = $1 and m.channel_id = $2 and u.deleted_at is null and u.deactivated_at is null and u.type = 'regular'
  and not exists (select from bans_in_force b
                  where b.app_id = $1 and b.user_id = m.user_id and (b.channel_id = $2 or b.channel_id is null))
order by u.user_id = $3 desc, case m.role when 'admin' then 1 when 'moderator' then 2 else 3 end, m.created_at, m.user_id limit 1

-- name: pending_handovers
-- $1 at most.  Deleted users whose channels are to be passed on.
select app_id, owner_id, user_id, new_owner from pending_handovers($1)

-- name: lock_owned_channel
-- $1 app  $2 user.  One of the channels that it owns. No row: none is left.
select c.id, h.channel_id from channel_members m
join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
where m.app_id = $1 and m.user_id = $2 and m.role = 'owner' limit 1 for update of h

-- name: owned_channel
-- $1 app  $2 channel
select id, type, channel_id, name, image, description, custom, frozen, is_distinct, created_by, created_at, updated_at,
  epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count, slow_mode, cooldown,
  truncated_at, truncated_message_id, team, cross_team, settings
from channels_shown where app_id = $1 and id = $2

-- name: finish_handover
-- $1 app  $2 user
delete from ownership_handovers where app_id = $1 and owner_id = $2
