drop function sweep_rejected_messages(integer);
drop function undecided_messages(timestamptz, integer);
drop function claim_approved_messages(timestamptz, interval, integer);
drop table pending_messages;
drop function keep_pending_upload_uses();
