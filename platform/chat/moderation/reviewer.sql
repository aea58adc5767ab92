-- name: find_reviewer
-- $1 app  $2 user_id.  No row: no such user. Whether the whole application is its, whether it is deactivated, whether it is anonymous,
-- whether it is an admin.
select id, role in ('moderator', 'admin'), deactivated_at is not null, type = 'anonymous', role = 'admin' from users
where app_id = $1 and user_id = $2 and deleted_at is null

-- name: get_settings
-- $1 app.  No row: the defaults.
select settings::text from moderation_settings where app_id = $1

-- name: put_settings
-- $1 app  $2 settings  $3 now
insert into moderation_settings (app_id, settings, updated_at) values ($1, $2::jsonb, $3)
on conflict (app_id) do update set settings = excluded.settings, updated_at = excluded.updated_at

-- name: list_moderators
-- $1 app  $2 channel  $3 roles[], as type/role  $4 at most.  Who may review in a channel.
select u.user_id from channel_members m join users u on u.app_id = m.app_id and u.id = m.user_id
join channels c on c.app_id = m.app_id and c.id = m.channel_id and reaches_channel($1, u.teams, c.team, c.cross_team)
where m.app_id = $1 and m.channel_id = $2 and (c.type || '/' || m.role) = any ($3::text[]) and u.deleted_at is null and u.deactivated_at is null
order by m.user_id limit $4
