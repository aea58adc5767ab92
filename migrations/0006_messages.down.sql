drop function purge_deleted(integer);
drop function sweep_message_nonces(integer);
drop view messages_shown;
drop table mentions;
drop table message_deletions;
drop table message_nonces;
drop table messages;
drop function create_message_partitions(date, integer);
drop function uuid7_floor(timestamptz);
