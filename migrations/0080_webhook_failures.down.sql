drop index webhook_logs_failed;
