drop function pending_handovers(integer);
drop index channel_members_owners;
drop table ownership_handovers;
