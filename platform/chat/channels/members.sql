-- name: insert_members
-- $1 app  $2 channel  $3 users[]  $4 roles[]  $5 now.  Rows: those who were not members yet.
insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)
select $1, $2, m.user_id, m.role, h.last_message_seq, $5, $5
from unnest($3::uuid[], $4::text[]) as m (user_id, role)
join channel_heads h on h.app_id = $1 and h.channel_id = $2
on conflict (app_id, channel_id, user_id) do nothing
returning user_id

-- name: change_member_count
-- $1 app  $2 channel  $3 by
update channel_heads set member_count = member_count + $3 where app_id = $1 and channel_id = $2 returning member_count

-- name: count_owners
-- $1 app  $2 channel
select count(*) from channel_members where app_id = $1 and channel_id = $2 and role = 'owner'

-- name: get_members
-- $1 app  $2 channel  $3 users[]
select id, user_id, role, created_at, updated_at, read_message_seq, read_at, unread, custom, muted, mute_expires_at, hidden,
  pinned_at, archived_at, cleared_message_id
from members_shown where app_id = $1 and channel_id = $2 and id = any ($3::uuid[])

-- name: get_member
-- $1 app  $2 channel  $3 user_id.  No row: not a member.
select id, user_id, role, created_at, updated_at, read_message_seq, read_at, unread, custom, muted, mute_expires_at, hidden,
  pinned_at, archived_at, cleared_message_id
from members_shown where app_id = $1 and channel_id = $2 and user_id = $3

-- name: update_member
-- $1 app  $2 channel  $3 user  $4 role  $5 custom  $6 now; NULL keeps.
update channel_members set role = coalesce($4, role), custom = custom || coalesce($5::jsonb, '{}'), updated_at = $6
where app_id = $1 and channel_id = $2 and user_id = $3
returning octet_length(custom::text)

-- name: delete_member
-- $1 app  $2 channel  $3 user
delete from channel_members where app_id = $1 and channel_id = $2 and user_id = $3

-- name: list_members
-- $1 app  $2 channel  $3 after user (id), or NULL  $4 at most  $5 also those who are not in the channel's team any more
select id, user_id, role, created_at, updated_at, read_message_seq, read_at, unread, custom, muted, mute_expires_at, hidden,
  pinned_at, archived_at, cleared_message_id
from members_shown where app_id = $1 and channel_id = $2 and ($3::uuid is null or id > $3) and ($5::boolean or not suspended)
order by id limit $4

-- name: hold_users
-- $1 app  $2 users[].  In one order everywhere.
select 1 from users where app_id = $1 and id = any ($2::uuid[]) order by id for no key update

-- name: find_beyond_memberships
-- $1 app  $2 users[]  $3 at most.  One who is a member of more channels.
select u.user_id from users u where u.app_id = $1 and u.id = any ($2::uuid[])
  and (select count(*) from (select 1 from channel_members m where m.app_id = $1 and m.user_id = u.id limit $3::bigint + 1) s) > $3::bigint limit 1
