drop function find_expired_channels(date, integer);
drop table retention_sweeps;
