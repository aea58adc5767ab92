drop function claim_scheduled_messages(timestamptz, interval, integer);
drop table scheduled_messages;
