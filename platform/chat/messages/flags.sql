-- name: flag_messages
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 messages[]  $5 ids of the items[]  $6 ids of the flags[]  $7 sources[]  $8 rules[]
-- $9 reasons[]  $10 severities[]  $11 details[]  $12 now: one row a finding, of messages that are written. What is open already is added to.
with found as materialized (
  select r.*, m.channel_id, m.user_id, evidence_of_message($1, m.channel_id, m.id) as evidence
  from unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::smallint[], $11::jsonb[])
    as r (type, channel, message, item, flag, source, rule, reason, severity, detail)
  join channels c on c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null
  join messages m on m.app_id = $1 and m.channel_id = c.id and m.id = r.message
), queued as (
  insert into moderation_items (app_id, id, subject_type, subject_id, channel_id, user_id, severity, findings, evidence, created_at, updated_at)
  select $1, item, 'message', message, channel_id, user_id, max(severity), count(*), evidence, $12, $12 from found
  group by item, message, channel_id, user_id, evidence order by message
  on conflict (app_id, subject_type, subject_id) where decided_at is null do update
  set findings = moderation_items.findings + excluded.findings, severity = greatest(moderation_items.severity, excluded.severity),
    updated_at = excluded.updated_at
  returning id, subject_id, evidence
)
insert into moderation_flags (app_id, id, item_id, subject_type, subject_id, source, rule, reason, severity, detail, evidence, created_at)
select $1, f.flag, q.id, 'message', f.message, f.source, f.rule, f.reason, f.severity, nullif(f.detail, '{}'),
  case when q.evidence is distinct from f.evidence then f.evidence end, $12
from found f join queued q on q.subject_id = f.message
