-- Webhooks: who looks for the attempts that failed does not read all that succeeded.
-- Locks: webhook_logs against writes while the index is made. Time on 10 million rows: some seconds.

create index webhook_logs_failed on webhook_logs (app_id, started_at, endpoint_id, event_id, attempt) where outcome <> 'succeeded';
