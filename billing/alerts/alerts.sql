-- name: insert_alert
-- $1 app  $2 meter  $3 period  $4 level  $5 its limit  $6 id  $7 value  $8 included  $9 hard  $10 now.  No row: it was noticed already, or
-- the application is gone.
insert into limit_alerts (app_id, meter, period, level, mark, id, value, included, hard, noticed_at)
select app_id, $2, $3, $4, $5, $6, $7, $8, $9, $10 from applications where app_id = $1 and purged_at is null for key share
on conflict do nothing returning id

-- name: list_own_alerts
-- $1 app  $2 before this one  $3 at most.  Newest first.
select app_id, id, meter, period, level, value, included, hard, noticed_at from limit_alerts
where app_id = $1 and ($2::uuid is null or id < $2::uuid) order by id desc limit $3

-- name: list_alerts
-- $1 app; NULL: all  $2 before this one  $3 at most.  Newest first.
select app_id, id, meter, period, level, value, included, hard, noticed_at from list_limit_alerts($1, $2, $3)
