-- name: count_strikes
-- $1 app  $2 user  $3 channel, or NULL: all  $4 now.  Points that count.
select coalesce(sum(points), 0)::bigint from moderation_strikes
where app_id = $1 and user_id = $2 and ($3::uuid is null or channel_id = $3) and revoked_at is null and (expires_at is null or expires_at > $4)

-- name: insert_strike
-- $1 app  $2 id, the decision's  $3 user  $4 channel, or NULL  $5 points  $6 now  $7 expires at, or NULL
insert into moderation_strikes (app_id, id, user_id, channel_id, points, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)

-- name: revoke_strike
-- $1 app  $2 id  $3 now
update moderation_strikes set revoked_at = $3 where app_id = $1 and id = $2 and revoked_at is null

-- name: get_standing
-- $1 app  $2 user  $3 channel, or NULL: the application.  No row: nothing happened there. As JSON, and when it last changed.
select jsonb_strip_nulls(jsonb_build_object('probation_until', wire_time(probation_until), 'last_warning_at', wire_time(last_warning_at),
  'ban_reason', ban_reason, 'updated_at', wire_time(updated_at)))::text, updated_at
from moderation_standings
where app_id = $1 and user_id = $2 and channel_id = coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')

-- name: put_standing
-- $1 app  $2 user  $3 channel, or NULL  $4 probation until  $5 last warning at  $6 ban reason  $7 now
insert into moderation_standings (app_id, user_id, channel_id, probation_until, last_warning_at, ban_reason, updated_at)
values ($1, $2, coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'), $4, $5, $6::jsonb, $7)
on conflict (app_id, user_id, channel_id) do update set probation_until = $4, last_warning_at = $5, ban_reason = $6::jsonb, updated_at = $7

-- name: hold_member
-- $1 app  $2 user  $3 channel  $4 until, or NULL
update channel_members set held_until = $4 where app_id = $1 and user_id = $2 and channel_id = $3

-- name: hold_user
-- $1 app  $2 user  $3 until, or NULL
update users set held_until = $3 where app_id = $1 and id = $2

-- name: list_standings
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]  $6 user  $7 now  $8 at most
-- The application first, for those whose it is; then channels.
select c.type || ':' || c.channel_id, (select coalesce(sum(k.points), 0)::bigint from moderation_strikes k
    where k.app_id = $1 and k.user_id = $6 and (p.channel_id is null or k.channel_id = p.channel_id) and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > $7)),
  s.probation_until, s.last_warning_at, s.ban_reason::text
from (select null::uuid as channel_id where $3
      union
      select nullif(x.channel_id, '00000000-0000-0000-0000-000000000000') from moderation_standings x
      where x.app_id = $1 and x.user_id = $6 and (x.channel_id <> '00000000-0000-0000-0000-000000000000' or $3)
      union
      select x.channel_id from moderation_strikes x where x.app_id = $1 and x.user_id = $6 and x.channel_id is not null) p
left join moderation_standings s on s.app_id = $1 and s.user_id = $6
  and s.channel_id = coalesce(p.channel_id, '00000000-0000-0000-0000-000000000000')
left join channels c on c.app_id = $1 and c.id = p.channel_id
where p.channel_id is null or seen_by_moderator($1, $2, $3, $4, $5, p.channel_id, $6)
order by p.channel_id nulls first limit $8
