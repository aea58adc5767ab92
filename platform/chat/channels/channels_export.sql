-- name: export_memberships
-- $1 app  $2 user  $3 after  $4 at most
select m.channel_id, jsonb_build_object('cid', c.type || ':' || c.channel_id, 'name', c.name, 'role', m.role, 'read_seq', m.read_message_seq,
  'read_at', wire_time(m.read_at), 'created_at', wire_time(m.created_at), 'custom', m.custom, 'muted_at', wire_time(m.muted_at),
  'mute_expires_at', wire_time(m.mute_expires_at), 'pinned_at', wire_time(m.pinned_at), 'archived_at', wire_time(m.archived_at))
from channel_members m join channels c on c.app_id = m.app_id and c.id = m.channel_id and c.deleted_at is null
where m.app_id = $1 and m.user_id = $2 and ($3 = '' or m.channel_id > nullif($3, '')::uuid) order by m.channel_id limit $4
