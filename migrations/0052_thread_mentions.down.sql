drop function unread_replies(uuid, uuid, uuid, uuid, uuid, integer);
