-- name: list_moves_of_month
-- $1 app  $2 first day  $3 first day of the next month.  In order, with the last one before the month.
select moved_at, plan_id, version, yearly from plan_moves
where app_id = $1 and moved_at < $3::timestamp at time zone 'UTC' and moved_at >= coalesce(
  (select max(moved_at) from plan_moves where app_id = $1 and moved_at < $2::timestamp at time zone 'UTC'), '-infinity')
order by moved_at

-- name: hold_statements
-- $1 app.  One after the other, until the end of the transaction: a month's statement rests on the one before.
select pg_advisory_xact_lock(hashtextextended('statements ' || $1::text, 0))

-- name: read_subject
-- $1 app  $2 first day of the next month: its overrides as they were then, or are.  Of one that is deleted, also when.
-- No row: no such application.
select name, status in ('deleting', 'deleted'), coalesce((
    select limits from override_changes where app_id = $1 and changed_at < $2::timestamp at time zone 'UTC' order by changed_at desc limit 1
  ), limits)::text, created_at, updated_at
from applications where app_id = $1

-- name: read_terms
-- $1 plan  $2 version.  No row: no such version.
select document::text from plan_versions where plan_id = $1 and version = $2

-- name: used_by_day
-- $1 app  $2 first day  $3 first day of the next month
select extract(day from day)::bigint, meter, case when meter = 'peak_connections' then max(value) else sum(value) end::bigint
from usage_metrics where app_id = $1 and day >= $2 and day < $3 group by day, meter

-- name: users_by_day
-- $1 app  $2 first day of the month
select extract(day from first_day)::bigint, count(*) from active_users where app_id = $1 and month = $2 group by first_day

-- name: find_used
-- $1 app  $2 period.  What the final statement of the period said of plan and overage. No row: there is none.
select used, overrides::text from statements where app_id = $1 and period = $2 and state = 'final'

-- name: lock_credits
-- $1 app.  Those that are left, oldest first; nobody else uses them until the commit.
select id, remaining, reason from credits where app_id = $1 and remaining > 0 order by created_at, id limit 1000 for update

-- name: open_credits
-- $1 app.  The same, to look at.
select id, remaining, reason from credits where app_id = $1 and remaining > 0 order by created_at, id limit 1000

-- name: use_credit
-- $1 app  $2 credit  $3 minor units; less than 0 gives back
update credits set remaining = remaining - $3::bigint where app_id = $1 and id = $2

-- name: insert_credit
-- $1 app  $2 credit  $3 minor units  $4 reason  $5 now
insert into credits (app_id, id, amount, remaining, reason, created_at) values ($1, $2, $3, $3, $4, $5)

-- name: list_credits
-- $1 app.  Newest first.
select id, amount, remaining, reason, created_at from credits where app_id = $1 order by created_at desc, id desc limit 1000

-- name: take_number
-- The next number of the service's statements; nobody takes another until the commit.
update statement_numbers set last = last + 1 returning last

-- name: insert_statement
-- $1 app  $2 id  $3 number  $4 period  $5 name  $6 currency  $7 used  $8 total  $9 lines  $10 now  $11 overrides.  No row: the period has a final one.
insert into statements (app_id, id, number, period, state, name, currency, used, total, lines, finalized_at, overrides)
values ($1, $2, $3, $4::date, 'final', $5, $6, $7, $8, $9::jsonb, $10, $11::jsonb)
on conflict (app_id, period) where state = 'final' do nothing returning id

-- name: get_statement
-- $1 app  $2 statement.  No row: no such statement.
select id, number, period::text, state, name, currency, used, total, lines::text, finalized_at, voided_at, void_reason, app_id
from statements where app_id = $1 and id = $2

-- name: list_own_statements
-- $1 app  $2 before this one  $3 at most.  Newest first.
select id, number, period::text, state, name, currency, used, total, lines::text, finalized_at, voided_at, void_reason, app_id
from statements where app_id = $1 and ($2::uuid is null or id < $2::uuid) order by id desc limit $3

-- name: list_statements
-- $1 period; NULL: any  $2 before this one  $3 at most.  Of all applications, newest first.
select id, number, period::text, state, name, currency, used, total, lines::text, finalized_at, voided_at, void_reason, app_id
from list_statements($1::date, $2, $3)

-- name: find_late_charge
-- $1 app  $2 period.  No row: the final statement of the month after it, if there is one, charges nothing of this one.
select number from statements where app_id = $1 and period = ($2::date + interval '1 month')::date and state = 'final'
  and jsonb_path_exists(lines, '$[*] ? (@.kind == "late_usage")')

-- name: void_statement
-- $1 app  $2 statement  $3 reason  $4 now.  No row: it is void already.
update statements set state = 'void', void_reason = $3, voided_at = $4 where app_id = $1 and id = $2 and state = 'final' returning id

-- name: applications_without_statement
-- $1 period  $2 after this application  $3 at most
select app_id from applications_without_statement($1::date, $2, $3)

-- name: export_usage
-- $1 day  $2 after this application  $3 and meter  $4 at most
select app_id, meter, value from export_usage($1::date, $2, $3, $4)
