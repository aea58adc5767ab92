-- A user flags a subject once while it waits in the queue, and again when it is decided.
-- Locks: moderation_flags, against writing, while the index is made. Time on 10 million rows: some 15 seconds.
create unique index moderation_flags_once_an_item on moderation_flags (app_id, item_id, user_id) where user_id is not null;
drop index moderation_flags_once;
