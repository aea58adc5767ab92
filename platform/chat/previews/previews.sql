-- name: claim_previews
-- $1 now  $2 lease  $3 at most
select app_id, channel_id, message_id, created_at from claim_previews($1, $2::interval, $3)

-- name: find_kept
-- $1 app  $2 hashes of URLs[], hex  $3 now.  Rows: those that were fetched of late; NULL: the page said nothing.
select encode(url_hash, 'hex'), preview::text from link_previews
where app_id = $1 and url_hash in (select decode(h, 'hex') from unnest($2::text[]) h) and expires_at > $3

-- name: keep_preview
-- $1 app  $2 hash, hex  $3 preview, or NULL  $4 now  $5 expires at
insert into link_previews (app_id, url_hash, preview, fetched_at, expires_at) values ($1, decode($2, 'hex'), $3::jsonb, $4, $5)
on conflict (app_id, url_hash) do update set preview = excluded.preview, fetched_at = excluded.fetched_at, expires_at = excluded.expires_at

-- name: release_preview
-- $1 app  $2 channel  $3 message.  Looked at again in the next turn.
update preview_queue set claimed_until = null where app_id = $1 and channel_id = $2 and message_id = $3

-- name: finish_preview
-- $1 app  $2 channel  $3 message
delete from preview_queue where app_id = $1 and channel_id = $2 and message_id = $3

-- name: lock_preview_channel
-- $1 app  $2 channel.  No row: gone. Its numbers are about to be taken.
select c.type, c.channel_id from channel_heads h join channels c on c.app_id = h.app_id and c.id = h.channel_id
where h.app_id = $1 and h.channel_id = $2 and c.deleted_at is null for update of h

-- name: attach_previews
-- $1 app  $2 channel  $3 message  $4 attachments, or NULL
update messages set attachments = $4::jsonb where app_id = $1 and channel_id = $2 and id = $3 and deleted_at is null

-- name: sweep_previews
-- $1 at most.  How many.
select sweep_link_previews($1)
