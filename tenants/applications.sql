-- name: insert_application
-- $1 app  $2 name  $3 plan  $4 settings  $5 now  $6 organisation  $7 environment  $8 region  $9 placement  $10 contacts.  No row: no such plan.
insert into applications (app_id, name, plan_id, settings, created_at, updated_at, organisation, environment, region, placement, contacts)
select $1, $2, p.plan_id, $4::jsonb, $5, $5, $6, $7, $8, coalesce($9::jsonb, '{}'), coalesce($10::jsonb, '[]') from plans p where p.plan_id = $3
returning app_id

-- name: insert_first_channel_types
-- $1 app  $2 now
insert into channel_types (app_id, type, settings, created_at, updated_at)
values ($1, 'messaging', '{}', $2, $2), ($1, 'team', '{}', $2, $2), ($1, 'livestream', '{"open": true, "large": true, "push": false}', $2, $2)

-- name: read_setup
-- $1 app.  What a clone takes over, as JSON.
select coalesce((select jsonb_agg(t) from channel_types t where t.app_id = $1), '[]')::text,
  coalesce((select jsonb_agg(c) from commands c where c.app_id = $1), '[]')::text,
  coalesce((select jsonb_agg(p) from push_templates p where p.app_id = $1), '[]')::text,
  (select settings::text from moderation_settings where app_id = $1),
  (select nullif(rules, '[]')::text from screening_settings where app_id = $1)

-- name: clone_channel_types
-- $1 app  $2 those of another, as JSON  $3 now
insert into channel_types select r.* from jsonb_array_elements($2::jsonb) e,
  jsonb_populate_record(null::channel_types, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $3::timestamptz, 'updated_at', $3::timestamptz)) r

-- name: clone_commands
-- $1 app  $2 those of another, as JSON  $3 now
insert into commands select r.* from jsonb_array_elements($2::jsonb) e,
  jsonb_populate_record(null::commands, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $3::timestamptz, 'updated_at', $3::timestamptz)) r

-- name: clone_push_templates
-- $1 app  $2 those of another, as JSON  $3 now
insert into push_templates select r.* from jsonb_array_elements($2::jsonb) e,
  jsonb_populate_record(null::push_templates, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $3::timestamptz, 'updated_at', $3::timestamptz)) r

-- name: clone_moderation
-- $1 app  $2 settings of another, or NULL  $3 its rules, or NULL  $4 now.  Without its classifier, whose key is its own.
with settings as (
  insert into moderation_settings (app_id, settings, updated_at) select $1, $2::jsonb, $4 where $2::jsonb is not null
)
insert into screening_settings (app_id, version, rules_version, rules, rules_at) select $1, 1, 1, $3::jsonb, $4 where $3::jsonb is not null

-- name: read_block_lists
-- $1 app.  What a clone takes over, as JSON: lists, entries, and where they hold but for single channels.
select coalesce((select jsonb_agg(l) from block_lists l where l.app_id = $1), '[]')::text,
  coalesce((select jsonb_agg(e) from block_list_entries e where e.app_id = $1), '[]')::text,
  coalesce((select jsonb_agg(u) from block_list_uses u where u.app_id = $1 and strpos(u.scope, ':') = 0), '[]')::text

-- name: clone_block_lists
-- $1 app  $2 lists  $3 entries  $4 uses, of another, as JSON  $5 now
with lists as (
  insert into block_lists select r.* from jsonb_array_elements($2::jsonb) e,
    jsonb_populate_record(null::block_lists, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $5::timestamptz, 'updated_at', $5::timestamptz)) r
  returning version
), entries as (
  insert into block_list_entries select r.* from jsonb_array_elements($3::jsonb) e,
    jsonb_populate_record(null::block_list_entries, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $5::timestamptz)) r
), uses as (
  insert into block_list_uses select r.* from jsonb_array_elements($4::jsonb) e,
    jsonb_populate_record(null::block_list_uses, e || jsonb_build_object('app_id', $1::uuid, 'created_at', $5::timestamptz)) r
)
insert into block_list_versions (app_id, version)
select $1, coalesce((select max(version) from lists), 1) where jsonb_array_length($2::jsonb) + jsonb_array_length($4::jsonb) > 0

-- name: find_by_name
-- $1 name.  Two rows: not unique.
select app_id from find_applications_by_name($1)

-- name: get_application
-- $1 app.  No row: no such application.
select app_id, name, status, coalesce(status_reason, ''), plan_id, settings::text, limits::text, created_at, updated_at,
  organisation, environment, region, placement::text, contacts::text, delete_after
from applications where app_id = $1

-- name: list_applications
-- $1 after (app id)  $2 status  $3 organisation  $4 at most
select app_id, name, status, coalesce(status_reason, ''), plan_id, settings::text, limits::text, created_at, updated_at,
  organisation, environment, region, placement::text, contacts::text, delete_after
from list_applications($1, $2, $3, $4)

-- name: update_application
-- $1 app  $2 name  $3 plan  $4 settings  $5 limits  $6 now  $7 organisation  $8 environment  $9 region  $10 placement  $11 contacts; NULL keeps
-- $12 of those, the names that are taken away  $13 only if it was last changed then.  No row: it was not; no such application, or deleted.
update applications set name = coalesce($2, name), plan_id = coalesce($3, plan_id),
  settings = coalesce($4::jsonb, settings), limits = coalesce($5::jsonb, limits), updated_at = $6,
  organisation = case when 'organisation' = any ($12::text[]) then null else coalesce($7, organisation) end,
  environment = case when 'environment' = any ($12::text[]) then null else coalesce($8, environment) end,
  region = case when 'region' = any ($12::text[]) then null else coalesce($9, region) end,
  placement = case when 'placement' = any ($12::text[]) then '{}' else coalesce($10::jsonb, placement) end,
  contacts = case when 'contacts' = any ($12::text[]) then '[]' else coalesce($11::jsonb, contacts) end
where app_id = $1 and status in ('active', 'suspended') and ($13::timestamptz is null or updated_at = $13)
returning app_id

-- name: lock_settings
-- $1 app.  No row: no such application, or deleted.
select settings::text from applications where app_id = $1 and status in ('active', 'suspended') for update

-- name: plan_exists
-- $1 plan
select 1 from plans where plan_id = $1

-- name: lock_status
-- $1 app.  No row: no such application.
select status, coalesce(status_reason, '') from applications where app_id = $1 for update

-- name: set_status
-- $1 app  $2 status  $3 reason  $4 now
update applications set status = $2, status_reason = nullif($3, ''), updated_at = $4 where app_id = $1

-- name: set_deleting
-- $1 app  $2 until when it can be restored  $3 now
update applications set status_before = status, status = 'deleting', delete_after = $2, updated_at = $3 where app_id = $1

-- name: restore_application
-- $1 app  $2 now
update applications set status = status_before, status_before = null, delete_after = null, updated_at = $2 where app_id = $1

-- name: erase_application
-- $1 app  $2 now.  The purge begins anew, for what it leaves otherwise.
update applications set status = 'deleted', status_before = null, delete_after = null, erase = true, purged_at = null, updated_at = $2
where app_id = $1

-- name: end_deletions
-- $1 now  $2 at most
select end_deletions($1, $2)

-- name: revoke_application
-- $1 app  $2 before
update applications set revoked_before = greatest(revoked_before, $2::timestamptz) where app_id = $1

-- name: forget_expired_tokens
-- $1 app  $2 expired before
delete from revoked_tokens where app_id = $1 and expires_at <= $2

-- name: count_revoked_tokens
-- $1 app  $2 token: how many others stand
select count(*) from revoked_tokens where app_id = $1 and token_id <> $2

-- name: revoke_token
-- $1 app  $2 token  $3 expires, or NULL  $4 now
insert into revoked_tokens (app_id, token_id, expires_at, revoked_at) values ($1, $2, $3, $4)
on conflict (app_id, token_id) do update set expires_at = case when revoked_tokens.expires_at is not null and excluded.expires_at is not null
  then greatest(revoked_tokens.expires_at, excluded.expires_at) end

-- name: count_revocations
-- $1 app  $2 user: how many others stand
select count(*) from user_revocations where app_id = $1 and user_id <> $2

-- name: revoke_user
-- $1 app  $2 user  $3 before
insert into user_revocations (app_id, user_id, revoked_before) values ($1, $2, $3)
on conflict (app_id, user_id) do update set revoked_before = greatest(user_revocations.revoked_before, excluded.revoked_before)

-- name: set_user_deactivated
-- $1 app  $2 user  $3 now  $4 deactivated
insert into user_revocations (app_id, user_id, revoked_before, deactivated) values ($1, $2, $3, $4)
on conflict (app_id, user_id) do update set deactivated = excluded.deactivated,
  revoked_before = greatest(user_revocations.revoked_before, excluded.revoked_before)

-- name: set_user_ban
-- $1 app  $2 user  $3 banned until, or NULL.  Tokens issued before stay good for afterwards.
insert into user_revocations (app_id, user_id, revoked_before, banned_until) values ($1, $2, 'epoch', $3)
on conflict (app_id, user_id) do update set banned_until = excluded.banned_until
