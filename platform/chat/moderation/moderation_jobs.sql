-- name: untold_flags
-- $1 at most of one application  $2 at most  $3 the application where the last round ended; nil: at the first
select app_id, id from untold_flags($1, $2, $3)

-- name: mark_told
-- $1 app  $2 flag  $3 now.  No row: told already, or gone.
update moderation_flags set told_at = $3 where app_id = $1 and id = $2 and told_at is null returning item_id

-- name: sweep_evidence
-- $1 now  $2 at most.  How many.
select sweep_moderation_evidence($1, $2)

-- name: measure_queue
-- One row: how many wait for a decision (100,000 and more are so many), since when the oldest does, since when the oldest flag was not told.
select waiting, waiting_since, untold_since from moderation_backlog()
