-- name: lock_flagger
-- $1 app  $2 user.  Whoever flags at once for one user waits here.
select 1 from users where app_id = $1 and id = $2 for no key update

-- name: find_flag
-- $1 app  $2 subject type  $3 subject  $4 user.  No row: this user has not flagged it since it was last decided.
select f.id, f.item_id, f.source, u.user_id, f.reason, f.rule, f.custom::text, f.detail::text, f.evidence::text, f.severity, f.created_at
from moderation_items i
join moderation_flags f on f.app_id = $1 and f.item_id = i.id and f.user_id = $4
join users u on u.app_id = $1 and u.id = f.user_id
where i.app_id = $1 and i.subject_type = $2 and i.subject_id = $3 and i.decided_at is null

-- name: get_flag
-- $1 app  $2 flag
select f.id, f.item_id, f.source, u.user_id, f.reason, f.rule, f.custom::text, f.detail::text, f.evidence::text, f.severity, f.created_at
from moderation_flags f left join users u on u.app_id = $1 and u.id = f.user_id
where f.app_id = $1 and f.id = $2

-- name: add_to_queue
-- $1 app  $2 id  $3 subject type  $4 subject  $5 channel, or NULL  $6 whose, or NULL  $7 severity  $8 now  $9 flag  $10 source  $11 who flags, or NULL
-- $12 reason  $13 custom.  What is open already is added to; where the subject has changed since, the flag keeps what it is now.
with seen as (
  select case $3::text when 'message' then evidence_of_message($1, $5, $4)
    when 'channel' then jsonb_build_object('channel', evidence_of_channel($1, $4)) else jsonb_build_object('author', evidence_of_user($1, $4)) end as evidence
), queued as (
  insert into moderation_items (app_id, id, subject_type, subject_id, channel_id, user_id, severity, flags, evidence, created_at, updated_at)
  select $1, $2, $3, $4, $5, $6, $7, 1, evidence, $8, $8 from seen
  on conflict (app_id, subject_type, subject_id) where decided_at is null do update
  set flags = moderation_items.flags + 1, severity = greatest(moderation_items.severity, excluded.severity), updated_at = excluded.updated_at
  returning id, evidence
)
insert into moderation_flags (app_id, id, item_id, subject_type, subject_id, source, user_id, reason, severity, custom, evidence, created_at)
select $1, $9, q.id, $3, $4, $10, $11, $12, $7, $13::jsonb, case when q.evidence is distinct from s.evidence then s.evidence end, $8 from queued q, seen s

-- name: flag_name
-- $1 app  $2 user or channel  $3 its user_id, or type  $4 '', or its channel_id  $5 item  $6 now  $7 ids of the flags[]  $8 rules[]  $9 details[]
-- What is open already is added to.
with subject as materialized (
  select u.id, null::uuid as channel_id, u.id as user_id, jsonb_build_object('author', evidence_of_user($1, u.id)) as evidence
  from users u where $2::text = 'user' and u.app_id = $1 and u.user_id = $3 and u.deleted_at is null
  union all
  select c.id, c.id, c.created_by, jsonb_build_object('channel', evidence_of_channel($1, c.id))
  from channels c where $2::text = 'channel' and c.app_id = $1 and c.type = $3 and c.channel_id = $4 and c.deleted_at is null
), queued as (
  insert into moderation_items (app_id, id, subject_type, subject_id, channel_id, user_id, severity, findings, evidence, created_at, updated_at)
  select $1, $5, $2, id, channel_id, user_id, 2, cardinality($7::uuid[]), evidence, $6, $6 from subject
  on conflict (app_id, subject_type, subject_id) where decided_at is null do update
  set findings = moderation_items.findings + excluded.findings, severity = greatest(moderation_items.severity, excluded.severity),
    updated_at = excluded.updated_at
  returning id, subject_id, evidence
)
insert into moderation_flags (app_id, id, item_id, subject_type, subject_id, source, rule, severity, detail, evidence, created_at)
select $1, f.id, q.id, $2, q.subject_id, 'list', f.rule, 2, f.detail, case when q.evidence is distinct from s.evidence then s.evidence end, $6
from queued q join subject s on s.id = q.subject_id
cross join unnest($7::uuid[], $8::text[], $9::jsonb[]) as f (id, rule, detail)

-- name: message_author
-- $1 app  $2 channel  $3 message
select user_id from messages where app_id = $1 and channel_id = $2 and id = $3

-- name: channel_creator
-- $1 app  $2 channel.  NULL: a server made it.
select created_by from channels where app_id = $1 and id = $2
