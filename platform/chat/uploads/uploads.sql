-- name: lock_uploader
-- $1 app  $2 user_id.  Whoever begins at once for one user waits here, so that the limit holds. No row: no such user.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null for no key update

-- name: count_pending
-- $1 app  $2 user
select count(*) from uploads where app_id = $1 and uploaded_by = $2 and state = 'pending'

-- name: insert_upload
-- $1 app  $2 id  $3 user or NULL  $4 channel or NULL  $5 name  $6 bytes  $7 now  $8 until when bytes may come
insert into uploads (app_id, id, uploaded_by, begun_in, name, size_bytes, created_at, links_until, delete_after)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- name: find_uploads
-- $1 app  $2 uploads[].  All of them, as they are.
select u.id, o.user_id, u.name, u.size_bytes, u.state, u.mime_type, encode(u.sha256, 'hex'), u.width, u.height, u.thumbnails::text,
  u.created_at, u.completed_at, u.delete_after, c.type || ':' || c.channel_id
from uploads u
left join users o on o.app_id = $1 and o.id = u.uploaded_by
left join channels c on c.app_id = $1 and c.id = u.begun_in
where u.app_id = $1 and u.id = any ($2::uuid[]) and u.state <> 'removing'

-- name: find_readable
-- $1 app  $2 uploads[]  $3 user.  Those that are its own, or in a message that it may read: as history shows it.
select u.id, o.user_id, u.name, u.size_bytes, u.state, u.mime_type, encode(u.sha256, 'hex'), u.width, u.height, u.thumbnails::text,
  u.created_at, u.completed_at, u.delete_after, null::text
from uploads u
left join users o on o.app_id = $1 and o.id = u.uploaded_by
where u.app_id = $1 and u.id = any ($2::uuid[]) and u.state <> 'removing' and (u.uploaded_by = $3 or exists (
  select from upload_uses x
  join messages_shown m on m.app_id = $1 and m.channel_id = x.channel_id and m.id = x.message_id
  join channels c on c.app_id = $1 and c.id = x.channel_id and c.deleted_at is null
  join channel_types y on y.app_id = $1 and y.type = c.type
  join users v on v.app_id = $1 and v.id = $3 and reaches_channel($1, v.teams, c.team, c.cross_team)
  left join channel_members cm on cm.app_id = $1 and cm.channel_id = x.channel_id and cm.user_id = $3
  where x.app_id = $1 and x.upload_id = u.id and m.deleted_at is null and not m.erased
    and (cm.user_id is not null or coalesce((y.settings ->> 'open')::boolean, false))
    and (cm.cleared_message_id is null or m.id > cm.cleared_message_id)
    and (m.seq > 0 or m.author = $3
         or coalesce(y.settings -> 'grants' -> cm.role ? 'chat:message:see_shadowed', cm.role in ('owner', 'admin', 'moderator'), false)
         or coalesce(y.settings -> 'grants' -> (v.teams ->> c.team) ? 'chat:message:see_shadowed', false))
    and not (c.has_bans and exists (select from bans_in_force b
                                    where b.app_id = $1 and b.user_id = $3 and b.channel_id = x.channel_id and not b.shadow))))

-- name: find_held
-- $1 app  $2 cid  $3 message.  The uploads that it holds.
select x.upload_id from upload_uses x join channels c on c.app_id = $1 and c.id = x.channel_id
where x.app_id = $1 and c.type = split_part($2, ':', 1) and c.channel_id = split_part($2, ':', 2) and c.deleted_at is null and x.message_id = $3

-- name: complete_upload
-- $1 app  $2 upload  $3 media type  $4 sha256, hex  $5 width  $6 height  $7 thumbnails  $8 now  $9 removed then, unless attached.
-- No row: it is not waiting for that any more.
update uploads set state = 'ready', mime_type = $3, sha256 = decode($4, 'hex'), width = $5, height = $6, thumbnails = $7::jsonb,
  completed_at = $8, delete_after = $9
where app_id = $1 and id = $2 and state = 'pending'
returning size_bytes

-- name: discard_upload
-- $1 app  $2 upload  $3 now.  Due to be removed, since no message holds it. No row: one does, or it goes already.
update uploads set delete_after = $3 where app_id = $1 and id = $2 and uses = 0 and state <> 'removing' returning id

-- name: due_uploads
-- $1 until  $2 at most
select app_id, id from due_uploads($1, $2)

-- name: lock_due
-- $1 app  $2 upload  $3 now.  Another node's, or not due any more: no row.
select state, size_bytes from uploads where app_id = $1 and id = $2 and uses = 0 and delete_after <= $3 for update skip locked

-- name: mark_removing
-- $1 app  $2 upload.  No message can hold it from here on.
update uploads set state = 'removing', name = '' where app_id = $1 and id = $2

-- name: remove_upload
-- $1 app  $2 upload  $3 now.  While bytes may still come over a link, the row stays to remove them, too.
with kept as (
  update uploads set delete_after = links_until where app_id = $1 and id = $2 and links_until > $3)
delete from uploads where app_id = $1 and id = $2 and links_until <= $3

-- name: export_uploads
-- $1 app  $2 user  $3 after this id, or ''  $4 at most
select id::text, json_strip_nulls(json_build_object('name', name, 'size_bytes', size_bytes, 'state', state, 'mime_type', mime_type,
  'sha256', encode(sha256, 'hex'), 'width', width, 'height', height, 'created_at', wire_time(created_at),
  'completed_at', wire_time(completed_at)))
from uploads where app_id = $1 and uploaded_by = $2 and state <> 'removing' and id > coalesce(nullif($3, '')::uuid, '00000000-0000-0000-0000-000000000000')
order by id limit $4
