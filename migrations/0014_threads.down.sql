-- What hangs on a message goes when it is erased, whoever erases it.
create or replace function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from message_edits where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from channel_mentions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null, extras = null, pinned_at = null, pinned_by = null, pin_expires_at = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id
    and (reactions is not null or extras is not null or pinned_at is not null);
  return null;
end $$;

drop table thread_members;
alter table messages drop column last_reply_at;
