-- name: list_plans
select plan_id, document::text, created_at, updated_at, version, archived_at from plans order by plan_id limit 1000

-- name: get_plan
-- $1 plan.  No row: no such plan.
select plan_id, document::text, created_at, updated_at, version, archived_at from plans where plan_id = $1

-- name: put_plan
-- $1 plan  $2 document  $3 now.  No row: it was the same already.
with changed as (
  insert into plans (plan_id, document, version, created_at, updated_at)
  values ($1, $2::jsonb, 1 + (select coalesce(max(version), 0) from plan_versions where plan_id = $1), $3, $3)
  on conflict (plan_id) do update set document = excluded.document, version = plans.version + 1, updated_at = excluded.updated_at
  where plans.document <> excluded.document
  returning plan_id, version, document, updated_at)
insert into plan_versions (plan_id, version, document, created_at) select plan_id, version, document, updated_at from changed
returning plan_id

-- name: would_change
-- $1 plan  $2 document.  No row: no such plan. Equal whatever the order of members.
select document = $2::jsonb from plans where plan_id = $1

-- name: versions_after
-- $1 plan  $2 version: after this one; '' and 0 for the first  $3 at most
select plan_id, version, document::text from plan_versions where (plan_id, version) > ($1, $2::bigint) order by plan_id, version limit $3

-- name: list_versions
-- $1 plan.  Newest first.
select version, document::text, created_at from plan_versions where plan_id = $1 order by version desc limit 1000

-- name: get_version
-- $1 plan  $2 version.  No row: no such version.
select plan_id, document::text, created_at, created_at, version, null from plan_versions where plan_id = $1 and version = $2

-- name: archive_plan
-- $1 plan  $2 now; NULL: not any more
update plans set archived_at = $2 where plan_id = $1

-- name: plan_of_application
-- $1 app.  No row: no such application.
select plan_id, plan_version, pays_yearly from applications where app_id = $1

-- name: move_application
-- $1 app  $2 plan  $3 version, 0: the last  $4 by the year; NULL keeps  $5 now.  No row: no such application, or deleted.
update applications set plan_id = $2, plan_version = -$3::bigint, pays_yearly = coalesce($4::boolean, pays_yearly), updated_at = $5
where app_id = $1 and status in ('active', 'suspended') returning plan_id

-- name: applications_behind
-- $1 plan  $2 its last version  $3 after this app; NULL for the first  $4 at most
select app_id, name, plan_version from applications_behind($1, $2, $3, $4)

-- name: list_moves
-- $1 app.  Newest first.
select moved_at, plan_id, version, yearly from plan_moves where app_id = $1 order by moved_at desc limit 1000

-- name: count_applications
-- $1 plan
select count_applications_on_plan($1)

-- name: delete_plan
-- $1 plan.  No row: no such plan.
delete from plans where plan_id = $1 returning plan_id
