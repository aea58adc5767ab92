-- name: exported_application
-- $1 app.  No row: no such application.
select name, plan_id, status, created_at, (select max(number) from schema_migrations), updated_at from applications where app_id = $1

-- name: transferred_tables
select name from transferred_tables() order by place

-- name: export_lines
-- $1 table  $2 after, or ''  $3 at most
select place, line from export_lines($1, $2, $3)

-- name: import_prospects
-- $1 app  $2 plan
select exists (select from applications where app_id = $1), exists (select from plans where plan_id = $2 and archived_at is null),
  (select max(number) from schema_migrations)

-- name: insert_import
-- $1 app  $2 id  $3 header  $4 now
insert into imports (app_id, id, header, created_at, updated_at) values ($1, $2, $3::jsonb, $4, $4)

-- name: get_import
-- $1 app  $2 id
select status, parts, lines, error, error_line, lost_secrets, created_at, updated_at, digest from imports
where app_id = $1 and id = $2 and status <> 'discarded'

-- name: open_import
-- $1 app.  No row: none is on its way.
select id from imports where app_id = $1 and status in ('receiving', 'waiting')

-- name: lock_import
-- $1 app  $2 id
select status, parts, lines, bytes from imports where app_id = $1 and id = $2 and status <> 'discarded' for update

-- name: add_import_part
-- $1 app  $2 id  $3 part  $4 its first line in the file  $5 body
insert into import_parts (app_id, import_id, part, first_line, body) values ($1, $2, $3, $4, $5)

-- name: count_import_part
-- $1 app  $2 id  $3 part  $4 lines more  $5 now  $6 bytes more  $7 digest, hex
update imports set parts = $3, lines = lines + $4, updated_at = $5, bytes = bytes + $6, digest = decode($7, 'hex') where app_id = $1 and id = $2

-- name: set_import_status
-- $1 app  $2 id  $3 status  $4 now  $5 error  $6 its line  $7 lost secrets
update imports set status = $3, updated_at = $4, error = $5, error_line = $6, lost_secrets = $7 where app_id = $1 and id = $2

-- name: claim_import
-- $1 now  $2 seconds of lease.  No row: none waits. In the nil application's transaction.
select app_id, id, attempts, parts, application_made from claim_import($1, make_interval(secs => $2))

-- name: put_back_import
-- $1 app  $2 id  $3 not before  $4 attempts used up: 1, or 0
update imports set not_before = $3, attempts = attempts - 1 + $4 where app_id = $1 and id = $2 and status = 'waiting'

-- name: hold_import
-- $1 app  $2 id.  No row: another worker has it, or it is done.
select parts from imports where app_id = $1 and id = $2 and status = 'waiting' for update skip locked

-- name: check_import_part
-- $1 app  $2 import  $3 part.  A row: the first line that can't be, and why.
select i.wrong_line, i.detail from import_parts p, check_import_lines(p.body, p.first_line) i
where p.app_id = $1 and p.import_id = $2 and p.part = $3

-- name: make_months
-- $1 from month  $2 months
select create_message_partitions($1::date, $2)

-- name: begin_importing
select set_config('chat.importing', 'on', true)

-- name: import_part
-- $1 app  $2 import  $3 part.  A row: the first line that can't be, and why.
select i.wrong_line, i.detail from import_parts p, import_lines(p.body, p.first_line) i
where p.app_id = $1 and p.import_id = $2 and p.part = $3

-- name: settle_imported
-- $1 app  $2 now.  No row: the file had no application in it.
update applications set status = 'suspended', status_reason = coalesce(status_reason, 'Imported.'), status_before = null, delete_after = null,
  erase = false, purged_at = null, updated_at = $2, plan_version = 0 where app_id = $1
returning app_id

-- name: bill_imported
-- $1 app  $2 now.  From here on this service bills it, on the last version of its plan.
with overridden as (
  insert into override_changes (app_id, changed_at, limits) select app_id, $2, limits from applications where app_id = $1 on conflict do nothing
)
insert into plan_moves (app_id, moved_at, plan_id, version, yearly)
select app_id, $2, plan_id, plan_version, pays_yearly from applications where app_id = $1 on conflict do nothing

-- name: find_unfit
-- $1 app  $2 first day of this month.  What came in and would be believed: the first that can't be. No row: nothing.
select 'channel_types: retention_days of the type ' || type || ' must be a number of days.' from channel_types
where app_id = $1 and coalesce(settings ->> 'retention_days', '0') !~ '^[0-9]{1,5}$'
union all
select 'moderation_settings: evidence_days must be a number of days.' from moderation_settings
where app_id = $1 and coalesce(settings ->> 'evidence_days', '0') !~ '^[0-9]{1,5}$'
union all
select 'statements: ' || to_char(period, 'YYYY-MM') || ' is not over.' from statements where app_id = $1 and period >= $2::date
limit 1

-- name: imported_secrets
-- $1 app
select id, sealed from application_secrets where app_id = $1

-- name: drop_imported_secret
-- $1 app  $2 id
delete from application_secrets where app_id = $1 and id = $2

-- name: sweep_imports
-- $1 not touched since  $2 at most
select sweep_imports($1, $2)
