-- name: list_plans
select plan_id, document::text, created_at, updated_at from plans order by plan_id limit 1000

-- name: get_plan
-- $1 plan.  No row: no such plan.
select plan_id, document::text, created_at, updated_at from plans where plan_id = $1

-- name: put_plan
-- $1 plan  $2 document  $3 now.  No row: it was the same already.
insert into plans (plan_id, document, created_at, updated_at) values ($1, $2::jsonb, $3, $3)
on conflict (plan_id) do update set document = excluded.document, updated_at = excluded.updated_at
where plans.document <> excluded.document
returning plan_id

-- name: count_applications
-- $1 plan
select count_applications_on_plan($1)

-- name: delete_plan
-- $1 plan.  No row: no such plan.
delete from plans where plan_id = $1 returning plan_id
