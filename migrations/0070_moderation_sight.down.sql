drop function moderation_backlog();
drop function sweep_moderation_evidence(timestamptz, integer);
drop function untold_flags(integer);
drop function seen_by_moderator(uuid, uuid, boolean, text[], text[], uuid, uuid);
