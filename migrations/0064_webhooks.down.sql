do $do$
begin
  execute replace(pg_get_functiondef('transferred_tables'::regproc), $$'preview_queue', 'webhook_deliveries', 'webhook_logs'$$, $$'preview_queue'$$);
end $do$;
drop trigger forget_user_events on user_erasures;
drop function forget_user_events();
drop table webhook_logs;
drop table webhook_deliveries;
drop table webhook_secrets;
drop table webhook_endpoints;
alter table outbox reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
alter table outbox drop column body;
drop function wants_event(text[], text);
alter table applications drop column webhooks;
