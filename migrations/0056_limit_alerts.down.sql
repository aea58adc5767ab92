drop function list_limit_alerts(uuid, uuid, integer);
drop table limit_alerts;
