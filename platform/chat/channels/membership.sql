-- name: update_membership
-- $1 app  $2 channel  $3 user  $4 muted  $5 mute expires  $6 hidden  $7 clear the history  $8 pinned  $9 archived  $10 now
-- NULL keeps. Hidden is where the numbers stand now: the next countable message ends it.
update channel_members m set
  muted_at = case when $4::boolean is null then m.muted_at when $4 then $10 end,
  mute_expires_at = case when $4 is null then m.mute_expires_at when $4 then $5::timestamptz end,
  hidden_message_seq = case when $6::boolean is null then m.hidden_message_seq when $6 then h.last_message_seq end,
  cleared_message_id = case when $7::boolean then coalesce(h.last_message_id, m.cleared_message_id) else m.cleared_message_id end,
  cleared_message_seq = case when $7 then h.last_message_seq else m.cleared_message_seq end,
  pinned_at = case when $8::boolean is null then m.pinned_at when $8 then coalesce(m.pinned_at, $10) end,
  archived_at = case when $9::boolean is null then m.archived_at when $9 then coalesce(m.archived_at, $10) end
from channel_heads h
where m.app_id = $1 and m.channel_id = $2 and m.user_id = $3 and h.app_id = $1 and h.channel_id = $2

-- name: update_own_custom
-- $1 app  $2 channel  $3 user  $4 custom  $5 unset[]  $6 unset keys[]  $7 now
update channel_members set updated_at = $7,
  custom = case when 'custom' = any ($5::text[]) then '{}' else (custom || coalesce($4::jsonb, '{}')) - $6::text[] end
where app_id = $1 and channel_id = $2 and user_id = $3
returning octet_length(custom::text)
