drop view channels_shown;
drop table channel_events;
drop table channel_members;
drop table channel_heads;
drop table channels;
drop table channel_types;
