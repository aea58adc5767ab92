drop trigger queue_invite_push on channel_invites;
drop function queue_invite_push();
delete from push_deliveries where event = 'invite.created';
delete from push_queue where event = 'invite.created';
delete from push_templates where event = 'invite.created';
alter table push_deliveries drop constraint push_deliveries_event_check,
  add constraint push_deliveries_event_check check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due'));
alter table push_queue drop constraint push_queue_event_check,
  add constraint push_queue_event_check check (event in ('message.new', 'reaction.new', 'reminder.due'));
alter table push_templates drop constraint push_templates_event_check,
  add constraint push_templates_event_check check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due'));
