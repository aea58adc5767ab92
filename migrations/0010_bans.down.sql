drop function expired_bans(integer);
drop view bans_in_force;
alter table user_revocations drop column banned_until;
alter table users drop column banned;
alter table channels drop column has_bans;
drop table application_bans;
drop table channel_bans;
