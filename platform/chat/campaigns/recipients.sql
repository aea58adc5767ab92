-- name: count_named
-- $1 app  $2 campaign
select count(*) from campaign_recipients where app_id = $1 and campaign_id = $2

-- name: find_named_users
-- $1 app  $2 user_ids[]
select u.id, u.user_id from users u where u.app_id = $1 and u.user_id = any ($2::text[]) and u.deleted_at is null

-- name: find_named_channels
-- $1 app  $2 cids[]
select c.id, c.type || ':' || c.channel_id from unnest($2::text[]) as w (cid)
join channels c on c.app_id = $1 and c.type = split_part(w.cid, ':', 1) and c.channel_id = substr(w.cid, strpos(w.cid, ':') + 1) and c.deleted_at is null

-- name: put_recipients
-- $1 app  $2 campaign  $3 targets[]  $4 given[]  $5 now
insert into campaign_recipients (app_id, campaign_id, target_id, given, updated_at)
select $1, $2, t.id, t.given::jsonb, $5 from unnest($3::uuid[], $4::text[]) as t (id, given)
on conflict (app_id, campaign_id, target_id) do update set given = excluded.given, updated_at = excluded.updated_at

-- name: remove_recipients
-- $1 app  $2 campaign  $3 targets[]
delete from campaign_recipients where app_id = $1 and campaign_id = $2 and target_id = any ($3::uuid[])

-- name: named_recipients
-- $1 app  $2 campaign  $3 after  $4 at most.  Before it begins: those that are named.
select target_id from campaign_recipients where app_id = $1 and campaign_id = $2 and target_id > $3 order by target_id limit $4

-- name: plan_recipients
-- $1 app  $2 campaign  $3 targets[]  $4 variants[]  $5 due  $6 local time, or NULL: at $5  $7 time zone of those who said none  $8 now
-- Who is there already only learns when; nobody is planned twice. One row: how many are new, when the first of them is due.
-- Zones have the names that PostgreSQL lists; only a local time reads that list, once.
with zones as materialized (
  select name from pg_timezone_names
), planned as (
  insert into campaign_recipients as r (app_id, campaign_id, target_id, variant, due_at, updated_at)
  select $1, $2, t.id, t.variant,
    case when $6::timestamp is null then $5::timestamptz else $6 at time zone case when said.zone in (select name from zones) then said.zone else $7 end end, $8
  from unnest($3::uuid[], $4::smallint[]) as t (id, variant)
  left join users u on u.app_id = $1 and u.id = t.id
  left join push_preferences p on p.app_id = $1 and p.user_id = t.id
  cross join lateral (select coalesce(p.time_zone, u.custom ->> 'time_zone') as zone) said
  on conflict (app_id, campaign_id, target_id) do update set variant = excluded.variant, due_at = excluded.due_at where r.due_at is null
  returning r.due_at
)
select count(*), min(due_at) from planned

-- name: keep_plan_place
-- $1 app  $2 campaign  $3 place  $4 whether that was all  $5 now  $6 when the first of these is due, or NULL: nobody is.  $7 how many they are
-- It is not looked at before. One row: how many are planned now.
update campaigns set plan_place = $3, planned = $4, next_at = greatest($5, least(next_at, $6)), recipients = recipients + $7
where app_id = $1 and id = $2 returning recipients

-- name: count_states
-- $1 app  $2 campaign
select variant, state, count(*) from campaign_recipients where app_id = $1 and campaign_id = $2 group by variant, state

-- name: count_reasons
-- $1 app  $2 campaign
select state, reason, count(*) from campaign_recipients where app_id = $1 and campaign_id = $2 and reason is not null group by state, reason order by state, reason

-- name: count_receipts_of_users
-- $1 app  $2 campaign.  By variant: how many of those sent to have it, and have read it, by their own marks.
select r.variant, count(*) filter (where greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) >= r.message_seq),
  count(*) filter (where greatest(m.read_message_seq, m.furthest_read_seq) >= r.message_seq)
from campaign_recipients r
join channel_members m on m.app_id = r.app_id and m.channel_id = r.channel_uuid and m.user_id = r.target_id
where r.app_id = $1 and r.campaign_id = $2 and r.state = 'sent' group by r.variant

-- name: count_receipts_of_channels
-- $1 app  $2 campaign  $3 sender.  By variant: in how many channels somebody else has it, and has read it.
select r.variant, count(*) filter (where x.delivered), count(*) filter (where x.read)
from campaign_recipients r
cross join lateral (
  select bool_or(greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) >= r.message_seq) as delivered,
    bool_or(greatest(m.read_message_seq, m.furthest_read_seq) >= r.message_seq) as read
  from channel_members m where m.app_id = r.app_id and m.channel_id = r.channel_uuid and m.user_id <> $3 and m.joined_message_seq < r.message_seq) x
where r.app_id = $1 and r.campaign_id = $2 and r.state = 'sent' group by r.variant

-- name: list_recipients_of_users
-- $1 app  $2 campaign  $3 state or ''  $4 after  $5 at most
select r.target_id, coalesce(u.user_id, ''), r.state, r.variant, r.due_at, r.reason, r.detail, r.message_id, r.sent_at, r.given::text,
  c.type || ':' || c.channel_id,
  coalesce(greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) >= r.message_seq, false),
  coalesce(greatest(m.read_message_seq, m.furthest_read_seq) >= r.message_seq, false)
from campaign_recipients r
left join users u on u.app_id = r.app_id and u.id = r.target_id
left join channels c on c.app_id = r.app_id and c.id = r.channel_uuid and c.deleted_at is null
left join channel_members m on m.app_id = r.app_id and m.channel_id = r.channel_uuid and m.user_id = r.target_id
where r.app_id = $1 and r.campaign_id = $2 and ($3 = '' or r.state = $3) and r.target_id > $4 order by r.target_id limit $5

-- name: list_recipients_of_channels
-- $1 app  $2 campaign  $3 state or ''  $4 after  $5 at most  $6 sender
select r.target_id, coalesce(c.type || ':' || c.channel_id, ''), r.state, r.variant, r.due_at, r.reason, r.detail, r.message_id, r.sent_at, r.given::text,
  c.type || ':' || c.channel_id, coalesce(x.delivered, false), coalesce(x.read, false)
from campaign_recipients r
left join channels c on c.app_id = r.app_id and c.id = r.target_id and c.deleted_at is null
cross join lateral (
  select bool_or(greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) >= r.message_seq) as delivered,
    bool_or(greatest(m.read_message_seq, m.furthest_read_seq) >= r.message_seq) as read
  from channel_members m where m.app_id = r.app_id and m.channel_id = r.channel_uuid and m.user_id <> $6 and m.joined_message_seq < r.message_seq) x
where r.app_id = $1 and r.campaign_id = $2 and ($3 = '' or r.state = $3) and r.target_id > $4 order by r.target_id limit $5
