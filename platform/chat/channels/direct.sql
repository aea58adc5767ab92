-- name: hold_pairs
-- $1 app  $2 user  $3 users[].  As lock_pair, of one with each of many; in one order, so that nobody deadlocks.
select count(pg_advisory_xact_lock(hashtextextended(p.key, 5)))
from (select $1::text || least($2::text, o.id::text) || greatest($2::text, o.id::text) as key
      from unnest($3::uuid[]) as o (id) order by 1) p

-- name: insert_direct_channels
-- $1 app  $2 ids[]  $3 type  $4 channel ids[]  $5 creator  $6 now  $7 slow mode  $8 cooldown  $9 team or NULL.  Rows: those that were not there.
insert into channels (app_id, id, type, channel_id, is_distinct, created_by, created_at, updated_at, slow_mode, cooldown, team)
select $1, i.id, $3, i.channel_id, true, $5, $6, $6, $7, $8, $9 from unnest($2::uuid[], $4::text[]) as i (id, channel_id) order by i.channel_id
on conflict (app_id, type, channel_id) do nothing returning id, channel_id

-- name: insert_direct_members
-- $1 app  $2 channels[]  $3 epochs[]  $4 the other of each[]  $5 creator  $6 now.  Their first number is that of channel.created.
with heads as (
  insert into channel_heads (app_id, channel_id, epoch, member_count, last_seq)
  select $1, h.id, h.epoch, 2, 1 from unnest($2::uuid[], $3::text[]) as h (id, epoch))
insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)
select $1, m.channel, w.user_id, w.role, 0, $6, $6 from unnest($2::uuid[], $4::uuid[]) as m (channel, other)
cross join lateral (values ($5::uuid, 'owner'), (m.other, 'member')) as w (user_id, role)

-- name: get_direct_channels
-- $1 app  $2 channels[]
select id, type, channel_id, name, image, description, custom, frozen, is_distinct, created_by, created_at, updated_at,
  epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count, slow_mode, cooldown,
  truncated_at, truncated_message_id, team, cross_team, settings
from channels_shown where app_id = $1 and id = any ($2::uuid[])
