drop function moderation_backlog();
drop function sweep_moderation_evidence(timestamptz, integer);
drop function untold_flags(integer);
drop function seen_by_moderator(uuid, uuid, boolean, text[], text[], uuid, uuid);
create or replace function evidence_of_user(app uuid, who uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('user_id', u.user_id, 'name', u.name, 'image', u.image) from users u where u.app_id = app and u.id = who
$$;
create or replace function evidence_of_channel(app uuid, channel uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('cid', c.type || ':' || c.channel_id, 'name', c.name, 'image', c.image, 'description', c.description)
  from channels c where c.app_id = app and c.id = channel
$$;
