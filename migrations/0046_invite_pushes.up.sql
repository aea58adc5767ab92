-- Invitations are pushed, where an application has words for it. Locks: the push tables and channel_invites briefly (checks over queues, a
-- trigger). Time on 10 million rows: none.

alter table push_templates drop constraint push_templates_event_check,
  add constraint push_templates_event_check check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due', 'invite.created'));
alter table push_queue drop constraint push_queue_event_check,
  add constraint push_queue_event_check check (event in ('message.new', 'reaction.new', 'reminder.due', 'invite.created'));
alter table push_deliveries drop constraint push_deliveries_event_check,
  add constraint push_deliveries_event_check check (event in ('message.new', 'mention', 'reaction.new', 'reminder.due', 'invite.created'));

-- In the place of a message stands the channel; `detail` is who is invited, `actor_id` who invites: the invited one itself for a server.
create function queue_invite_push() returns trigger
language plpgsql as $$
begin
  insert into push_queue (app_id, id, event, channels, messages, actor_id, detail, created_at)
  select new.app_id, gen_random_uuid(), 'invite.created', array[new.channel_id], array[new.channel_id], coalesce(new.invited_by, new.user_id),
    new.user_id::text, now()
  from applications a where a.app_id = new.app_id and a.pushes
    and exists (select from push_templates t where t.app_id = new.app_id and t.event = 'invite.created');
  return null;
end $$;
create trigger queue_invite_push after insert or update of state on channel_invites
for each row when (new.state = 'pending') execute function queue_invite_push();
