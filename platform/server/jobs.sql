-- name: create_message_partitions
-- $1 first month  $2 how many
select create_message_partitions($1::date, $2)

-- name: sweep_outbox
-- $1 at most
select sweep_outbox($1)

-- name: sweep_message_nonces
-- $1 at most
select sweep_message_nonces($1)

-- name: sweep_campaigns
-- $1 at most
select sweep_campaigns($1)

-- name: sweep_usage_flushes
-- $1 at most
select sweep_usage_flushes($1)

-- name: purge_deleted
-- $1 at most
select purge_deleted($1)

-- name: erase_deleted_users
-- $1 messages at most
select worked, app_id, cid from erase_and_tell($1)

-- name: finish_truncations
-- $1 messages at most
select finish_truncations($1)

-- name: index_messages
-- $1 batches at most
select index_messages($1) from set_config('synchronous_commit', 'off', true)

-- name: oldest_waiting
-- $1 now.  One row: what is oldest of the scheduled, approved, push queue, push deliveries, search, outbox; NULL: nothing waits.
select scheduled, approved, push_queue, push_deliveries, search, oldest_outbox() from oldest_waiting($1)

-- name: analyze_grown_table
-- One row: the table that was analyzed; NULL: none had grown.
select analyze_grown_table()

-- name: rebuild_search
-- $1 messages at most
select rebuild_search($1)

-- name: sweep_block_list_entries
-- $1 at most.  Entries whose time is over.
select sweep_block_list_entries($1)
