-- name: claim_push_queue
-- $1 worker  $2 due until  $3 lease until  $4 at most
select app_id, id, event, channels::text, messages::text, actor_id, detail, created_at, place, after_user from claim_push_queue($1, $2, $3, $4)

-- name: decide_push
-- $1 app  $2 channel  $3 message  $4 now  $5 after this member  $6 members at most.
-- Rows: whom to tell, whether as mentioned; and a last one without a user_id: the last member looked at (NULL: nobody was left), and whether
-- there are more.
with said as materialized (
  select m.id, m.channel_id, m.user_id, m.message_seq, m.parent_id, m.parent_id is not null and not m.show_in_channel as in_thread, c.team,
    c.cross_team
  from messages m
  join channels c on c.app_id = $1 and c.id = m.channel_id and c.deleted_at is null
    and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = $1 and h.channel_id = c.id))
    and (c.truncated_message_id is null or m.id > c.truncated_message_id)
  join channel_types t on t.app_id = $1 and t.type = c.type and not t.settings @> '{"large": true}'
    and coalesce((c.settings ->> 'push')::boolean, (t.settings ->> 'push')::boolean, true)
  join users author on author.app_id = $1 and author.id = m.user_id and author.messages_hidden_at is null
  where m.app_id = $1 and m.channel_id = $2 and m.id = $3 and m.seq > 0 and m.type <> 'system' and not m.silent
    and m.deleted_at is null and not m.erased
), page as materialized (
  select p.* from said s join channel_members p on p.app_id = $1 and p.channel_id = s.channel_id and p.user_id > $5
  order by p.user_id limit $6
), away as (
  select p.user_id as id, u.user_id, x.mentioned from said s cross join page p
  join users u on u.app_id = $1 and u.id = p.user_id and u.deleted_at is null and u.deactivated_at is null
    and reaches_channel($1, u.teams, s.team, s.cross_team)
  left join push_preferences g on g.app_id = $1 and g.user_id = p.user_id
  left join channel_push_preferences o on o.app_id = $1 and o.user_id = p.user_id and o.channel_id = p.channel_id
  left join thread_members f on f.app_id = $1 and f.user_id = p.user_id and f.channel_id = p.channel_id and f.parent_id = s.parent_id
  cross join lateral (
    select exists (select from mentions x where x.app_id = $1 and x.user_id = p.user_id and x.channel_id = p.channel_id and x.message_id = s.id)
      or exists (select from channel_mentions x where x.app_id = $1 and x.channel_id = p.channel_id and x.message_id = s.id
                 and (x.roles = '{}' or p.role = any (x.roles))) as mentioned) x
  where p.user_id <> s.user_id
    and exists (select from user_devices d where d.app_id = $1 and d.user_id = p.user_id)
    and case coalesce(o.level, g.level, 'all') when 'all' then true when 'mentions' then x.mentioned else false end
    and coalesce(g.muted_until <= $4, true) and coalesce(o.muted_until <= $4, true)
    and not coalesce(is_quiet($4, g.quiet_from, g.quiet_to, g.quiet_days, g.time_zone), false)
    and (p.muted_at is null or p.mute_expires_at <= $4)
    and coalesce(p.cleared_message_id < s.id, true)
    and (not s.in_thread or x.mentioned or coalesce(f.follows, false))
    and (s.message_seq is null or coalesce(p.read_message_seq, 0) < s.message_seq)
    and coalesce(f.read_id < s.id, true)
    and not exists (select from user_blocks b where b.app_id = $1 and b.user_id = p.user_id and b.blocked_id = s.user_id)
    and not exists (select from user_mutes b where b.app_id = $1 and b.user_id = p.user_id and b.muted_id = s.user_id
                    and (b.expires_at is null or b.expires_at > $4))
    and not exists (select from bans_in_force b where b.app_id = $1 and b.user_id = p.user_id and not b.shadow
                    and (b.channel_id = p.channel_id or b.channel_id is null))
)
select id, user_id, mentioned from away
union all
select (select user_id from page order by user_id desc limit 1), null, (select count(*) from page) = $6

-- name: decide_own_push
-- $1 app  $2 channel  $3 message  $4 now  $5 event  $6 who reacted, or whose reminder it is  $7 reaction.
-- Whom a reaction or a reminder is for: the author of the message, or the one who set it.  No row: nobody.
select u.id, u.user_id from messages m
join channels c on c.app_id = $1 and c.id = m.channel_id and c.deleted_at is null
    and not (c.blocked and (select h.member_count = 2 from channel_heads h where h.app_id = $1 and h.channel_id = c.id))
  and (c.truncated_message_id is null or m.id > c.truncated_message_id)
join channel_types t on t.app_id = $1 and t.type = c.type and not t.settings @> '{"large": true}'
    and coalesce((c.settings ->> 'push')::boolean, (t.settings ->> 'push')::boolean, true)
join users u on u.app_id = $1 and u.id = case when $5 = 'reaction.new' then m.user_id else $6::uuid end
  and u.deleted_at is null and u.deactivated_at is null and reaches_channel($1, u.teams, c.team, c.cross_team)
left join channel_members p on p.app_id = $1 and p.channel_id = m.channel_id and p.user_id = u.id
left join push_preferences g on g.app_id = $1 and g.user_id = u.id
left join channel_push_preferences o on o.app_id = $1 and o.user_id = u.id and o.channel_id = m.channel_id
where m.app_id = $1 and m.channel_id = $2 and m.id = $3 and m.deleted_at is null and not m.erased
  and (p.user_id is not null or coalesce((t.settings ->> 'open')::boolean, false))
  and not exists (select from bans_in_force b where b.app_id = $1 and b.user_id = u.id and not b.shadow
                  and (b.channel_id = m.channel_id or b.channel_id is null))
  and case when $5 = 'reaction.new' then
    u.id <> $6::uuid and coalesce(o.level, g.level, 'all') = 'all'
    and exists (select from message_reactions r where r.app_id = $1 and r.channel_id = m.channel_id and r.message_id = m.id
                and r.user_id = $6::uuid and r.type = $7)
    and coalesce(g.muted_until <= $4, true) and coalesce(o.muted_until <= $4, true)
    and not coalesce(is_quiet($4, g.quiet_from, g.quiet_to, g.quiet_days, g.time_zone), false)
    and (p.muted_at is null or p.mute_expires_at <= $4)
    and not exists (select from user_blocks b where b.app_id = $1 and b.user_id = u.id and b.blocked_id = $6::uuid)
    and not exists (select from user_mutes b where b.app_id = $1 and b.user_id = u.id and b.muted_id = $6::uuid
                    and (b.expires_at is null or b.expires_at > $4))
    and not exists (select from bans_in_force b where b.app_id = $1 and b.user_id = $6::uuid and b.shadow
                    and (b.channel_id = m.channel_id or b.channel_id is null))
  else coalesce(g.level, 'all') <> 'none' end

-- name: decide_invite_push
-- $1 app  $2 channel  $3 now  $4 who invites  $5 who is invited.  No row: answered meanwhile, or it is not to be told.
select u.id, u.user_id from channel_invites i
join channels c on c.app_id = $1 and c.id = i.channel_id and c.deleted_at is null
join users u on u.app_id = $1 and u.id = i.user_id and u.deleted_at is null and u.deactivated_at is null
  and reaches_channel($1, u.teams, c.team, c.cross_team)
left join push_preferences g on g.app_id = $1 and g.user_id = u.id
where i.app_id = $1 and i.channel_id = $2 and i.user_id = $5::uuid and i.state = 'pending'
  and coalesce(g.level, 'all') <> 'none' and coalesce(g.muted_until <= $3, true)
  and not coalesce(is_quiet($3, g.quiet_from, g.quiet_to, g.quiet_days, g.time_zone), false)
  and not exists (select from user_blocks b where b.app_id = $1 and b.user_id = u.id and b.blocked_id = $4)
  and not exists (select from user_mutes b where b.app_id = $1 and b.user_id = u.id and b.muted_id = $4
                  and (b.expires_at is null or b.expires_at > $3))

-- name: leave_invite_deliveries
-- $1 app  $2 users[]  $3 channel  $4 who invites  $5 now  $6 end
insert into push_deliveries (app_id, user_id, device_id, channel_id, message_id, event, actor_id, due_at, expires_at, created_at)
select $1, d.user_id, d.device_id, $3, $3, 'invite.created', $4, $5, $6, $5
from user_devices d where d.app_id = $1 and d.user_id = any ($2::uuid[])
on conflict do nothing

-- name: leave_deliveries
-- $1 app  $2 users[]  $3 events[]  $4 channel  $5 message  $6 who did it, or NULL: the author  $7 detail  $8 now  $9 end
insert into push_deliveries (app_id, user_id, device_id, channel_id, message_id, event, actor_id, detail, due_at, expires_at, created_at)
select $1, d.user_id, d.device_id, m.channel_id, m.id, w.event, coalesce($6::uuid, m.user_id), $7, $8, $9, $8
from unnest($2::uuid[], $3::text[]) as w (user_id, event)
join user_devices d on d.app_id = $1 and d.user_id = w.user_id
join messages m on m.app_id = $1 and m.channel_id = $4 and m.id = $5
on conflict do nothing

-- name: move_on
-- $1 app  $2 id  $3 worker  $4 message's place  $5 after this member.  No row: another worker has it by now.
update push_queue set place = $4, after_user = $5 where app_id = $1 and id = $2 and claimed_by = $3 returning 1

-- name: end_push
-- $1 app  $2 id  $3 worker
delete from push_queue where app_id = $1 and id = $2 and claimed_by = $3

-- name: give_back
-- $1 app  $2 id  $3 worker
update push_queue set claimed_by = null, claimed_until = null where app_id = $1 and id = $2 and claimed_by = $3
