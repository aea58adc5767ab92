-- Drafts hold the files that they name, as scheduled messages do. Locks: message_drafts briefly. Time on 10 million rows: none.

-- The holder is no message, so nobody reads a file through it.
create function draft_holder(d message_drafts) returns uuid
language sql immutable as $$ select md5('draft ' || d.user_id::text || d.channel_id::text || d.parent_id::text)::uuid $$;

-- What a draft lets go stays for an hour: its message may be sent a moment later.
create function keep_draft_upload_uses() returns trigger
language plpgsql as $$
declare
  d message_drafts := coalesce(new, old);
  held uuid[] := array(select upload_id from upload_uses where app_id = d.app_id and channel_id = d.channel_id and message_id = draft_holder(d));
begin
  if tg_op = 'DELETE' then
    delete from upload_uses where app_id = d.app_id and channel_id = d.channel_id and message_id = draft_holder(d);
  else
    perform hold_uploads(d.app_id, d.channel_id, draft_holder(d), d.message -> 'attachments', d.user_id);
  end if;
  update uploads set delete_after = now() + interval '1 hour' where app_id = d.app_id and id = any (held) and uses = 0 and state = 'ready';
  return null;
end $$;
create trigger keep_upload_uses after insert on message_drafts
for each row when (new.message ? 'attachments') execute function keep_draft_upload_uses();
create trigger keep_changed_upload_uses after update of message on message_drafts
for each row when (new.message -> 'attachments' is distinct from old.message -> 'attachments') execute function keep_draft_upload_uses();
create trigger forget_upload_uses after delete on message_drafts
for each row when (old.message ? 'attachments') execute function keep_draft_upload_uses();
