drop trigger forget_drafts on messages;
drop function forget_drafts();
drop table message_drafts;
