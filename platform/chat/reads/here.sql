-- name: members_to_ask
-- $1 app  $2 channel  $3 message  $4 at most.  Members who may be mentioned by it.
select u.user_id from messages s
join channels c on c.app_id = $1 and c.id = s.channel_id and c.deleted_at is null
join channel_types t on t.app_id = $1 and t.type = c.type and not t.settings @> '{"large": true}'
join channel_members p on p.app_id = $1 and p.channel_id = s.channel_id and p.user_id <> s.user_id
join users u on u.app_id = $1 and u.id = p.user_id and u.deleted_at is null and u.deactivated_at is null
where s.app_id = $1 and s.channel_id = $2 and s.id = $3 and s.seq > 0 and reaches_channel($1, u.teams, c.team, c.cross_team)
  and not exists (select from user_blocks b where b.app_id = $1 and b.user_id = p.user_id and b.blocked_id = s.user_id)
  and not (c.has_bans and exists (select from bans_in_force b where b.app_id = $1 and b.user_id = p.user_id and b.channel_id = c.id and not b.shadow))
order by p.user_id limit $4

-- name: mention_those
-- $1 app  $2 channel  $3 message  $4 user_ids[]
insert into mentions (app_id, user_id, channel_id, message_id, message_seq)
select $1, u.id, m.channel_id, m.id, m.message_seq from messages m
join users u on u.app_id = $1 and u.user_id = any ($4::text[]) and u.deleted_at is null
join channel_members p on p.app_id = $1 and p.channel_id = m.channel_id and p.user_id = u.id
where m.app_id = $1 and m.channel_id = $2 and m.id = $3 and not m.erased
on conflict do nothing
