drop trigger settle_invite on channel_members;
drop function settle_invite();
drop view invites_shown;
drop table channel_invites;
