update channel_types set settings = settings - 'push' where settings ? 'push';

drop trigger queue_reminder_push on bookmarks;
drop function queue_reminder_push();
drop trigger queue_reaction_push on message_reactions;
drop function queue_reaction_push();
drop function claim_push_deliveries(uuid, timestamptz, timestamptz, integer, integer);
drop function claim_push_queue(uuid, timestamptz, timestamptz, integer);
drop table push_deliveries;
drop table push_queue;
drop table push_templates;
drop function is_quiet(timestamptz, smallint, smallint, smallint[], text);
drop table channel_push_preferences;
drop table push_preferences;
drop table push_providers;
drop function expire_devices(integer);
drop table user_devices;
alter table applications drop column pushes;
