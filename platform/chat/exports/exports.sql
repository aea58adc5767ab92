-- name: find_exported
-- $1 app  $2 user_id.  Deleted users too.
select id from users where app_id = $1 and user_id = $2

-- name: find_user_id
-- $1 app  $2 user
select user_id from users where app_id = $1 and id = $2

-- name: export_blocks
-- $1 app  $2 user  $3 after  $4 at most
select b.blocked_id, jsonb_build_object('target_id', u.user_id, 'created_at', wire_time(b.created_at))
from user_blocks b join users u on u.app_id = b.app_id and u.id = b.blocked_id
where b.app_id = $1 and b.user_id = $2 and ($3 = '' or b.blocked_id > nullif($3, '')::uuid) order by b.blocked_id limit $4

-- name: export_mutes
-- $1 app  $2 user  $3 after  $4 at most
select m.muted_id, jsonb_build_object('target_id', u.user_id, 'created_at', wire_time(m.created_at),
  'expires_at', wire_time(m.expires_at))
from user_mutes m join users u on u.app_id = m.app_id and u.id = m.muted_id
where m.app_id = $1 and m.user_id = $2 and ($3 = '' or m.muted_id > nullif($3, '')::uuid) order by m.muted_id limit $4

-- name: export_reactions
-- $1 app  $2 user  $3 after  $4 at most
select r.channel_id || '/' || r.message_id || '/' || r.type, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'type', r.type,
  'score', r.score, 'created_at', wire_time(r.created_at)), r.message_id
from message_reactions r join channels c on c.app_id = r.app_id and c.id = r.channel_id and c.deleted_at is null
where r.app_id = $1 and r.user_id = $2 and (r.channel_id || '/' || r.message_id || '/' || r.type) > $3
order by 1 limit $4

-- name: export_bookmarks
-- $1 app  $2 user  $3 after  $4 at most
select b.channel_id || '/' || b.message_id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'note', b.note,
  'remind_at', wire_time(b.remind_at), 'created_at', wire_time(b.created_at)), b.message_id
from bookmarks b join channels c on c.app_id = b.app_id and c.id = b.channel_id and c.deleted_at is null
where b.app_id = $1 and b.user_id = $2 and (b.channel_id || '/' || b.message_id) > $3
order by 1 limit $4

-- name: export_threads
-- $1 app  $2 user  $3 after  $4 at most
select t.channel_id || '/' || t.parent_id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'participates', t.participates,
  'following', t.follows, 'created_at', wire_time(t.created_at)), t.parent_id
from thread_members t join channels c on c.app_id = t.app_id and c.id = t.channel_id and c.deleted_at is null
where t.app_id = $1 and t.user_id = $2 and (t.channel_id || '/' || t.parent_id) > $3
order by 1 limit $4

-- name: export_scheduled
-- $1 app  $2 user  $3 after  $4 at most
select s.id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'message', s.message, 'send_at', wire_time(s.send_at),
  'created_at', wire_time(s.created_at))
from scheduled_messages s join channels c on c.app_id = s.app_id and c.id = s.channel_id and c.deleted_at is null
where s.app_id = $1 and s.user_id = $2 and ($3 = '' or s.id > nullif($3, '')::uuid) order by s.id limit $4

-- name: export_invites
-- $1 app  $2 user  $3 after  $4 at most
select i.channel_id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'role', i.role, 'text', i.text, 'state', i.state,
  'created_at', wire_time(i.created_at), 'answered_at', wire_time(i.answered_at))
from channel_invites i join channels c on c.app_id = i.app_id and c.id = i.channel_id and c.deleted_at is null
where i.app_id = $1 and i.user_id = $2 and ($3 = '' or i.channel_id > nullif($3, '')::uuid) order by i.channel_id limit $4

-- name: export_pending
-- $1 app  $2 user  $3 after  $4 at most
select p.id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'message', p.message, 'status', p.status, 'reason', p.reason,
  'created_at', wire_time(p.created_at))
from pending_messages p join channels c on c.app_id = p.app_id and c.id = p.channel_id and c.deleted_at is null
where p.app_id = $1 and p.user_id = $2 and ($3 = '' or p.id > nullif($3, '')::uuid) order by p.id limit $4

-- name: export_poll_votes
-- $1 app  $2 user  $3 after  $4 at most.  Of anonymous polls, too: it is the user's own.
select v.channel_id || '/' || v.message_id || '/' || v.option, jsonb_build_object('cid', c.type || ':' || c.channel_id,
  'question', p.question, 'option', p.options[v.option], 'created_at', wire_time(v.created_at)), v.message_id
from poll_votes v join polls p on p.app_id = v.app_id and p.channel_id = v.channel_id and p.message_id = v.message_id
join channels c on c.app_id = v.app_id and c.id = v.channel_id and c.deleted_at is null
where v.app_id = $1 and v.user_id = $2 and (v.channel_id || '/' || v.message_id || '/' || v.option) > $3
order by 1 limit $4

-- name: export_poll_suggestions
-- $1 app  $2 user  $3 after  $4 at most
select p.channel_id || '/' || p.message_id || '/' || o.place, jsonb_build_object('cid', c.type || ':' || c.channel_id,
  'question', p.question, 'option', o.text), p.message_id
from polls p join channels c on c.app_id = p.app_id and c.id = p.channel_id and c.deleted_at is null
cross join lateral unnest(p.options) with ordinality o (text, place)
where p.app_id = $1 and p.suggested_by <> '{}'
  and p.suggested_by[o.place - cardinality(p.options) + cardinality(p.suggested_by)] = $2::uuid
  and (p.channel_id || '/' || p.message_id || '/' || o.place) > $3
order by 1 limit $4

-- name: export_drafts
-- $1 app  $2 user  $3 after  $4 at most
select d.channel_id || '/' || d.parent_id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'message', d.message,
  'created_at', wire_time(d.created_at), 'updated_at', wire_time(d.updated_at))
from message_drafts d join channels c on c.app_id = d.app_id and c.id = d.channel_id and c.deleted_at is null
where d.app_id = $1 and d.user_id = $2 and (d.channel_id || '/' || d.parent_id) > $3
order by 1 limit $4

-- name: export_devices
-- $1 app  $2 user  $3 after  $4 at most.  Without the token: it opens the device to whoever has it.
select d.device_id, jsonb_build_object('device_id', d.device_id, 'provider', d.provider, 'provider_name', d.provider_name,
  'platform', d.platform, 'created_at', wire_time(d.created_at), 'seen_at', wire_time(d.seen_at))
from user_devices d where d.app_id = $1 and d.user_id = $2 and d.device_id > $3 order by d.device_id limit $4

-- name: export_push_preferences
-- $1 app  $2 user  $3 after  $4 at most.  The user's own come first.
select p.place, p.item from (
  select '0' as place, jsonb_strip_nulls(jsonb_build_object('level', o.level, 'muted_until', wire_time(o.muted_until),
    'quiet_from', o.quiet_from, 'quiet_to', o.quiet_to, 'quiet_days', o.quiet_days, 'time_zone', o.time_zone, 'language', o.language)) as item
  from push_preferences o where o.app_id = $1 and o.user_id = $2
  union all
  select '1' || o.channel_id, jsonb_strip_nulls(jsonb_build_object('cid', c.type || ':' || c.channel_id, 'level', o.level,
    'muted_until', wire_time(o.muted_until)))
  from channel_push_preferences o join channels c on c.app_id = o.app_id and c.id = o.channel_id and c.deleted_at is null
  where o.app_id = $1 and o.user_id = $2) p
where p.place > $3 order by p.place limit $4

-- name: export_bans
-- $1 app  $2 user  $3 after  $4 at most
select b.place, jsonb_build_object('cid', b.cid, 'shadow', b.shadow, 'reason', b.reason, 'created_at', wire_time(b.created_at),
  'expires_at', wire_time(b.expires_at))
from (
  select x.channel_id::text as place, c.type || ':' || c.channel_id as cid, x.shadow, x.reason, x.created_at, x.expires_at
  from channel_bans x join channels c on c.app_id = x.app_id and c.id = x.channel_id and c.deleted_at is null
  where x.app_id = $1 and x.user_id = $2
  union all
  select 'application', null, x.shadow, x.reason, x.created_at, x.expires_at from application_bans x where x.app_id = $1 and x.user_id = $2) b
where b.place > $3 order by b.place limit $4

-- name: export_moderation_flags
-- $1 app  $2 user  $3 after  $4 at most.  What the user flagged, not what others did to it.
select f.id::text, jsonb_strip_nulls(jsonb_build_object('subject_type', f.subject_type, 'reason', f.reason, 'severity', f.severity,
  'created_at', wire_time(f.created_at))) || jsonb_build_object('custom', coalesce(f.custom, '{}'))
from moderation_flags f where f.app_id = $1 and f.user_id = $2 and f.id::text > $3 order by f.id::text limit $4

-- name: export_moderation_strikes
-- $1 app  $2 user  $3 after  $4 at most
select s.id::text, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'points', s.points, 'created_at', wire_time(s.created_at),
  'expires_at', wire_time(s.expires_at), 'revoked_at', wire_time(s.revoked_at))
from moderation_strikes s left join channels c on c.app_id = s.app_id and c.id = s.channel_id
where s.app_id = $1 and s.user_id = $2 and s.id::text > $3 order by s.id::text limit $4

-- name: export_moderation_standings
-- $1 app  $2 user  $3 after  $4 at most
select s.channel_id::text, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'probation_until', wire_time(s.probation_until),
  'last_warning_at', wire_time(s.last_warning_at), 'ban_reason', s.ban_reason)
from moderation_standings s left join channels c on c.app_id = s.app_id and c.id = s.channel_id
where s.app_id = $1 and s.user_id = $2 and s.channel_id::text > $3 order by s.channel_id::text limit $4

-- name: export_moderation_appeals
-- $1 app  $2 user  $3 after  $4 at most
select p.id::text, jsonb_build_object('text', p.text, 'status', p.status, 'answer', p.answer, 'created_at', wire_time(p.created_at),
  'decided_at', wire_time(p.decided_at))
from moderation_appeals p where p.app_id = $1 and p.user_id = $2 and p.id::text > $3 order by p.id::text limit $4

-- name: export_moderation_notices
-- $1 app  $2 user  $3 after  $4 at most.  What the user is told of decisions against it; not who decided.
select l.id::text, jsonb_build_object('action', l.action, 'cid', c.type || ':' || c.channel_id, 'reason', l.reason, 'points', l.points,
  'created_at', wire_time(l.created_at))
from moderation_log l left join channels c on c.app_id = l.app_id and c.id = l.channel_id
where l.app_id = $1 and l.about = $2 and l.shown and l.id::text > $3 order by l.id::text limit $4
