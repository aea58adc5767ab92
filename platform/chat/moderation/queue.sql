-- name: list_items
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[], as type/role
select i.id, i.subject_type, i.subject_id, i.channel_id, c.type || ':' || c.channel_id, u.user_id, i.user_id, i.status, i.severity, i.flags, i.findings,
  i.severity * 1000 + least(i.flags * 10 + i.findings, 999), a.user_id, i.outcome, i.evidence::text, i.evidence_ends, i.created_at, i.updated_at, i.decided_at
from moderation_items i
left join channels c on c.app_id = $1 and c.id = i.channel_id
left join users u on u.app_id = $1 and u.id = i.user_id
left join users a on a.app_id = $1 and a.id = i.assigned_to
where i.app_id = $1 and seen_by_moderator($1, $2, $3, $4, $5, i.channel_id, i.user_id)

-- name: get_item
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]  $6 item.  No row: missing, or out of sight.
select i.id, i.subject_type, i.subject_id, i.channel_id, c.type || ':' || c.channel_id, u.user_id, i.user_id, i.status, i.severity, i.flags, i.findings,
  i.severity * 1000 + least(i.flags * 10 + i.findings, 999), a.user_id, i.outcome, i.evidence::text, i.evidence_ends, i.created_at, i.updated_at, i.decided_at
from moderation_items i
left join channels c on c.app_id = $1 and c.id = i.channel_id
left join users u on u.app_id = $1 and u.id = i.user_id
left join users a on a.app_id = $1 and a.id = i.assigned_to
where i.app_id = $1 and i.id = $6 and seen_by_moderator($1, $2, $3, $4, $5, i.channel_id, i.user_id)

-- name: lock_item
-- $1 app  $2 item.  No row: gone. After the channel's head, as everybody.
select status from moderation_items where app_id = $1 and id = $2 for update

-- name: set_item
-- $1 app  $2 item  $3 status  $4 outcome  $5 decided at, or NULL  $6 assigned to  $7 now.  Where the message was erased meanwhile, the evidence
-- goes with the decision. No row changed: another round about the same subject is open.
with changed as (
  update moderation_items i set status = $3, outcome = $4, decided_at = $5, assigned_to = $6, updated_at = $7,
    evidence = case when $5::timestamptz is not null and i.evidence_ends then null else i.evidence end
  where i.app_id = $1 and i.id = $2 and ($5::timestamptz is not null or not exists (
    select from moderation_items o
    where o.app_id = $1 and o.subject_type = i.subject_type and o.subject_id = i.subject_id and o.id <> i.id and o.decided_at is null))
  returning i.id, i.evidence is null as erased
)
update moderation_flags f set evidence = null from changed where f.app_id = $1 and f.item_id = changed.id and changed.erased and f.evidence is not null

-- name: assign_item
-- $1 app  $2 item  $3 user, or NULL  $4 now
update moderation_items set assigned_to = $3, updated_at = $4 where app_id = $1 and id = $2

-- name: list_flags
-- $1 app  $2 item  $3 at most.  The newest first.
select f.id, f.item_id, f.source, u.user_id, f.reason, f.rule, f.custom::text, f.detail::text, f.evidence::text, f.severity, f.created_at
from moderation_flags f left join users u on u.app_id = $1 and u.id = f.user_id
where f.app_id = $1 and f.item_id = $2 order by f.id desc limit $3
