-- name: ping
-- No parameters; always one row.
select 1
