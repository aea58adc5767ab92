-- name: set_app
-- $1 app. Makes the transaction act for it.
select set_config('chat.app_id', $1, true)
