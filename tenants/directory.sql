-- name: read_application
-- $1 app.  No row: no such application.
select name, status, status_reason, plan_id, settings::text, limits::text, revoked_before, created_at, updated_at, pushes, plan_version, array_to_string(webhooks, ','),
  (select version from screening_settings s where s.app_id = $1),
  (select jsonb_build_object('rules_version', s.rules_version, 'rules', s.rules, 'classifier', s.classifier,
    'sealed', replace(encode(s.sealed, 'base64'), E'\n', ''))::text from screening_settings s where s.app_id = $1)
from applications where app_id = $1

-- name: read_secrets
-- $1 app  $2 now.  Newest first.
select id, sealed, created_at, expires_at from application_secrets
where app_id = $1 and (expires_at is null or expires_at > $2)
order by created_at desc, id desc

-- name: read_revocations
-- $1 app  $2 at most.
select user_id, revoked_before, deactivated, banned_until from user_revocations where app_id = $1 limit $2

-- name: read_revoked_tokens
-- $1 app  $2 expired before: no more  $3 at most.
select token_id, expires_at from revoked_tokens where app_id = $1 and (expires_at is null or expires_at > $2) limit $3
