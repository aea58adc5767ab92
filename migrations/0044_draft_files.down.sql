delete from upload_uses u using message_drafts d
where u.app_id = d.app_id and u.channel_id = d.channel_id and u.message_id = draft_holder(d);
drop trigger forget_upload_uses on message_drafts;
drop trigger keep_changed_upload_uses on message_drafts;
drop trigger keep_upload_uses on message_drafts;
drop function keep_draft_upload_uses();
drop function draft_holder(message_drafts);
