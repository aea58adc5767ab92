delete from moderation_flags f using moderation_flags first
where first.app_id = f.app_id and first.subject_type = f.subject_type and first.subject_id = f.subject_id and first.user_id = f.user_id and first.id < f.id;
create unique index moderation_flags_once on moderation_flags (app_id, subject_type, subject_id, user_id) where user_id is not null;
drop index moderation_flags_once_an_item;
