-- name: list_notices
-- $1 app  $2 user_id  $3 after line (id), or NULL  $4 at most.  The newest first. Of automatic lines and moderators' alike; each with the appeal, as JSON.
select l.id, l.action, l.by, null::text, c.type || ':' || c.channel_id, a.user_id, l.rule, l.reason, l.subject_type, l.subject_id, l.item_id, l.points,
  l.shown, l.params::text, l.changed::text, l.undoes, x.id, x.created_at, l.channel_id, l.about, l.created_at,
  p.id, p.decision_id, a.user_id, p.text, p.status, p.answer, null::text, p.created_at, p.decided_at, l.channel_id
from users a
join moderation_log l on l.app_id = $1 and l.about = a.id and l.shown
left join channels c on c.app_id = $1 and c.id = l.channel_id
left join moderation_log x on x.app_id = $1 and x.undoes = l.id
left join moderation_appeals p on p.app_id = $1 and p.decision_id = l.id
where a.app_id = $1 and a.user_id = $2 and a.deleted_at is null and ($3::uuid is null or l.id < $3)
order by l.id desc limit $4

-- name: get_own_line
-- $1 app  $2 user_id  $3 line.  No row: no decision against this user that it is told of.
select l.id from moderation_log l join users a on a.app_id = $1 and a.id = l.about
where l.app_id = $1 and l.id = $3 and l.shown and a.user_id = $2 and a.deleted_at is null

-- name: insert_appeal
-- $1 app  $2 id  $3 decision  $4 user  $5 text  $6 now.  No row changed: it was appealed.
insert into moderation_appeals (app_id, id, decision_id, user_id, text, created_at) values ($1, $2, $3, $4, $5, $6)
on conflict (app_id, decision_id) do nothing

-- name: list_appeals
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]
select p.id, p.decision_id, u.user_id, p.text, p.status, p.answer, d.user_id, p.created_at, p.decided_at, l.channel_id
from moderation_appeals p
join moderation_log l on l.app_id = $1 and l.id = p.decision_id
join users u on u.app_id = $1 and u.id = p.user_id
left join users d on d.app_id = $1 and d.id = p.decided_by
where p.app_id = $1 and seen_by_moderator($1, $2, $3, $4, $5, l.channel_id, l.about)

-- name: get_appeal
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]  $6 appeal.  No row: missing, or out of sight.
select p.id, p.decision_id, u.user_id, p.text, p.status, p.answer, d.user_id, p.created_at, p.decided_at, l.channel_id
from moderation_appeals p
join moderation_log l on l.app_id = $1 and l.id = p.decision_id
join users u on u.app_id = $1 and u.id = p.user_id
left join users d on d.app_id = $1 and d.id = p.decided_by
where p.app_id = $1 and p.id = $6 and seen_by_moderator($1, $2, $3, $4, $5, l.channel_id, l.about)

-- name: decide_appeal
-- $1 app  $2 appeal  $3 status  $4 answer  $5 who, or NULL  $6 now.  No row changed: it was decided.
update moderation_appeals set status = $3, answer = $4, decided_by = $5, decided_at = $6 where app_id = $1 and id = $2 and status = 'pending'
