create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from message_edits where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from thread_members where app_id = new.app_id and channel_id = new.channel_id and parent_id = new.id;
  delete from bookmarks where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from channel_mentions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null, extras = null, pinned_at = null, pinned_by = null, pin_expires_at = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id
    and (reactions is not null or extras is not null or pinned_at is not null);
  return null;
end $$;
alter table pending_messages drop column findings;
alter table users drop column held_until;
alter table channel_members drop column held_until;
drop table moderation_settings, moderation_appeals, moderation_standings, moderation_strikes, moderation_log, moderation_flags, moderation_items;
drop function keep_moderation_log();
drop function evidence_of_message(uuid, uuid, uuid);
drop function evidence_of_user(uuid, uuid);
drop function evidence_of_channel(uuid, uuid);
