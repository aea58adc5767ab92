drop trigger keep_probation on channel_members;
drop function keep_probation();
