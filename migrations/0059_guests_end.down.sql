update channel_types set settings = jsonb_set(settings, '{grants}', coalesce((
  select jsonb_object_agg(role, actions - 'chat:message:mention_roles' - 'chat:channel:create') from jsonb_each(settings -> 'grants') as g (role, actions)
  where role not like 'user:%'), '{}')) where settings -> 'grants' <> '{}';
drop function forget_guest_revocations(timestamptz, integer);
drop function find_expired_guests(timestamptz, integer, integer);
drop function is_expired_guest(users, applications, timestamptz);
drop function guest_days(applications);
drop index channels_by_creator;
drop index users_guests_gone;
drop index users_guests;
