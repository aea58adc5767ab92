drop function sweep_usage_flushes(integer);
drop table active_users;
drop table usage_flushes;
drop table usage_metrics;
