-- name: message_state
-- $1 app  $2 channel  $3 message.  No row: gone. When it was deleted, or NULL; whether by its author; the decision
-- that restored it and nobody since (mark_restored), or NULL.
select deleted_at, coalesce(deleted_by = user_id, false), case when deleted_at is null then deleted_by end
from messages where app_id = $1 and channel_id = $2 and id = $3 and not erased
  and not exists (select from channels c where c.app_id = $1 and c.id = $2 and c.truncated_message_id >= $3)

-- name: mark_restored
-- $1 app  $2 channel  $3 message  $4 decision.  Until it is deleted or undeleted again, `deleted_by` names who brought it back.
update messages set deleted_by = $4 where app_id = $1 and channel_id = $2 and id = $3 and deleted_at is null

-- name: give_deletion_back
-- $1 app  $2 channel  $3 message  $4 when its author deleted it.  No row changed: it is another deletion by now, or none.
update messages set deleted_by = user_id where app_id = $1 and channel_id = $2 and id = $3 and deleted_at = $4

-- name: channel_ban
-- $1 app  $2 channel  $3 user.  No row: none. As ban JSON, and when it was made.
select jsonb_strip_nulls(jsonb_build_object('shadow', b.shadow, 'reason', b.reason, 'banned_by', w.user_id, 'created_at', wire_time(b.created_at),
  'expires_at', wire_time(b.expires_at)))::text, b.created_at
from channel_bans b left join users w on w.app_id = $1 and w.id = b.banned_by where b.app_id = $1 and b.channel_id = $2 and b.user_id = $3

-- name: application_ban
-- $1 app  $2 user.  No row: none. The same.
select jsonb_strip_nulls(jsonb_build_object('shadow', b.shadow, 'reason', b.reason, 'created_at', wire_time(b.created_at),
  'expires_at', wire_time(b.expires_at)))::text, b.created_at
from application_bans b where b.app_id = $1 and b.user_id = $2

-- name: date_channel_ban
-- $1 app  $2 channel  $3 user  $4 banned by (user_id), or NULL  $5 made at.  A ban that came back is whose it was.
update channel_bans set created_at = $5, banned_by = (select id from users where app_id = $1 and user_id = $4)
where app_id = $1 and channel_id = $2 and user_id = $3

-- name: date_application_ban
-- $1 app  $2 user  $3 made at
update application_bans set created_at = $3 where app_id = $1 and user_id = $2

-- name: undone_of_moment
-- $1 app  $2 user  $3 made at  $4 channel, or NULL: of the application.  What decisions of that moment changed that were undone.
select l.id, l.changed::text from moderation_log l
where l.app_id = $1 and l.about = $2 and l.created_at = $3 and ($4::uuid is null or l.channel_id = $4)
  and exists (select from moderation_log x where x.app_id = $1 and x.undoes = l.id)

-- name: lock_subject_user
-- $1 app  $2 user  $3 channel, or NULL.  What is decided about one user happens one by one. Its role in the application; in the channel, or NULL.
select u.role, (select m.role from channel_members m where m.app_id = $1 and m.channel_id = $3 and m.user_id = $2)
from users u where u.app_id = $1 and u.id = $2 for no key update
