-- name: hold_campaigns
-- $1 app.  Campaigns of one application are made one by one, so that the limit holds.
select pg_advisory_xact_lock(hashtextextended($1::text, 10))

-- name: count_unfinished_campaigns
-- $1 app
select count(*) from campaigns where app_id = $1 and status in ('draft', 'scheduled', 'sending', 'paused')

-- name: is_zone
-- $1 name
select exists (select from pg_timezone_names where name = $1)

-- name: find_sender
-- $1 app  $2 user_id.  No row: no such user, deleted or deactivated.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null and deactivated_at is null

-- name: is_channel_type_there
-- $1 app  $2 type.  A row: yes.
select 1 from channel_types where app_id = $1 and type = $2

-- name: is_team_there
-- $1 app  $2 team_id.  A row: yes.
select 1 from teams where app_id = $1 and team_id = $2

-- name: unfit_segments
-- $1 app  $2 segments[]  $3 of.  Rows: places of those that are not there, or of something else.
select w.ord - 1 from unnest($2::uuid[]) with ordinality as w (id, ord)
where not exists (select from segments s where s.app_id = $1 and s.id = w.id and s.of = $3) order by w.ord

-- name: hold_campaign_segments
-- $1 app  $2 segments[].  They are not deleted before the commit.
select id from segments where app_id = $1 and id = any ($2::uuid[]) order by id for key share

-- name: insert_campaign
-- $1 app  $2 id  $3 name  $4 sender  $5 definition  $6 segments[]  $7 of  $8 rate or NULL  $9 now
insert into campaigns (app_id, id, name, sender_id, definition, segments, targets, rate, created_at, updated_at)
values ($1, $2, $3, $4, $5::jsonb, $6::uuid[], $7, $8, $9, $9)

-- name: update_campaign
-- $1 app  $2 id  $3 name  $4 sender  $5 definition  $6 segments[]  $7 of  $8 rate or NULL  $9 now
update campaigns set name = $3, sender_id = $4, definition = $5::jsonb, segments = $6::uuid[], targets = $7, rate = $8, updated_at = $9
where app_id = $1 and id = $2

-- name: get_campaign
-- $1 app  $2 id
select c.id, c.status, c.definition::text, u.user_id, c.sender_id, c.begun, c.planned, c.plan_place, c.reason, c.starts_at, c.started_at, c.finished_at,
  c.created_at, c.updated_at, c.resend_from, c.recipients
from campaigns c join users u on u.app_id = c.app_id and u.id = c.sender_id where c.app_id = $1 and c.id = $2 and c.status <> 'deleted'

-- name: lock_campaign
-- $1 app  $2 id
select c.id, c.status, c.definition::text, u.user_id, c.sender_id, c.begun, c.planned, c.plan_place, c.reason, c.starts_at, c.started_at, c.finished_at,
  c.created_at, c.updated_at, c.resend_from, c.recipients
from campaigns c join users u on u.app_id = c.app_id and u.id = c.sender_id where c.app_id = $1 and c.id = $2 and c.status <> 'deleted'
for no key update of c

-- name: list_campaigns
-- $1 app  $2 status or ''  $3 at most  $4 before (id), or NULL
select c.id, c.status, c.definition::text, u.user_id, c.sender_id, c.begun, c.planned, c.plan_place, c.reason, c.starts_at, c.started_at, c.finished_at,
  c.created_at, c.updated_at, c.resend_from, c.recipients
from campaigns c join users u on u.app_id = c.app_id and u.id = c.sender_id
where c.app_id = $1 and c.status <> 'deleted' and ($2 = '' or c.status = $2) and ($4::uuid is null or c.id < $4) order by c.id desc limit $3

-- name: delete_campaign
-- $1 app  $2 campaign  $3 now.  Nobody sees it any more; its recipients go with time.
update campaigns set status = 'deleted', updated_at = $3, plan_after = '-infinity' where app_id = $1 and id = $2

-- name: moment_of
-- $1 clock on the wall  $2 time zone
select $1::timestamp at time zone $2

-- name: schedule_campaign
-- $1 app  $2 campaign  $3 starts at  $4 now
update campaigns set status = 'scheduled', starts_at = $3, reason = null, updated_at = $4 where app_id = $1 and id = $2

-- name: set_status
-- $1 app  $2 campaign  $3 status  $4 reason or NULL  $5 now.  It is looked at at once.
update campaigns set status = $3, reason = $4, updated_at = $5, next_at = '-infinity', paced_at = null,
  finished_at = case when $3 in ('completed', 'failed', 'stopped') then $5::timestamptz end
where app_id = $1 and id = $2

-- name: begin_campaign
-- $1 app  $2 campaign  $3 now
update campaigns set status = 'sending', begun = true, started_at = $3, next_at = $3, updated_at = $3 where app_id = $1 and id = $2

-- name: count_failed
-- $1 app  $2 campaign
select count(*) from campaign_recipients where app_id = $1 and campaign_id = $2 and state = 'failed'

-- name: begin_resend
-- $1 app  $2 campaign.  From now on those who failed wait again, some at a time.
update campaigns set resend_from = '00000000-0000-0000-0000-000000000000' where app_id = $1 and id = $2

-- name: wait_again
-- $1 app  $2 campaign  $3 after  $4 at most  $5 now.  One row: how many of those who failed wait again, and the last of them.
with failed as materialized (
  select target_id from campaign_recipients where app_id = $1 and campaign_id = $2 and state = 'failed' and target_id > $3 order by target_id limit $4
), again as (
  update campaign_recipients set state = 'waiting', due_at = $5, attempts = 0, reason = null, detail = null, claimed_until = null, updated_at = $5
  where app_id = $1 and campaign_id = $2 and target_id = any (array(select target_id from failed)) and state = 'failed'
)
select (select count(*) from failed), (select target_id from failed order by target_id desc limit 1)

-- name: keep_resend_place
-- $1 app  $2 campaign  $3 place, or NULL: that was all  $4 now
update campaigns set resend_from = $3, next_at = $4 where app_id = $1 and id = $2

-- name: finish_campaign
-- $1 app  $2 campaign  $3 now.  A row: it is over. Failed, if everybody failed.
update campaigns c set status = case when n.failed > 0 and n.sent = 0 then 'failed' else 'completed' end,
  reason = case when n.failed > 0 and n.sent = 0 then 'all_failed' end, finished_at = $3, updated_at = $3
from (select count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'failed') as failed
      from campaign_recipients where app_id = $1 and campaign_id = $2) n
where c.app_id = $1 and c.id = $2 and c.status = 'sending' and c.planned and c.resend_from is null
  and not exists (select from campaign_recipients r where r.app_id = $1 and r.campaign_id = $2 and r.state = 'waiting')
returning c.status

-- name: has_waiting
-- $1 app  $2 campaign.  No row: it is planned and nobody waits, or will wait again. The last first: at the front of the index are those who have it by now.
-- Not with `exists`: that throws the order away, and the table is read from its start.
select 1 from campaigns c where c.app_id = $1 and c.id = $2 and (not c.planned or c.resend_from is not null
  or (select true from campaign_recipients r where r.app_id = $1 and r.campaign_id = $2 and r.state = 'waiting' order by r.due_at desc limit 1))

-- name: get_opt_outs
-- $1 app  $2 user_id.  No row: no such user; a NULL category: nothing was set.
select u.id, o.category from users u left join campaign_opt_outs o on o.app_id = u.app_id and o.user_id = u.id
where u.app_id = $1 and u.user_id = $2 and u.deleted_at is null order by o.category

-- name: delete_opt_outs
-- $1 app  $2 user
delete from campaign_opt_outs where app_id = $1 and user_id = $2

-- name: insert_opt_outs
-- $1 app  $2 user  $3 categories[]  $4 now
insert into campaign_opt_outs (app_id, user_id, category, created_at) select $1, $2, c.word, $4 from unnest($3::text[]) as c (word)

-- name: campaigns_standing
-- $1 now.  One row; NULL: none stands.
select campaigns_standing($1)

-- name: export_opt_outs
-- $1 app  $2 user  $3 after  $4 at most
select 'c' || o.category, jsonb_strip_nulls(jsonb_build_object('category', nullif(o.category, ''), 'created_at', wire_time(o.created_at)))
from campaign_opt_outs o where o.app_id = $1 and o.user_id = $2 and ('c' || o.category) > $3 order by 1 limit $4

-- name: export_campaigns
-- $1 app  $2 user  $3 after  $4 at most
select r.campaign_id, jsonb_strip_nulls(jsonb_build_object('campaign', c.name, 'state', r.state, 'data', r.given, 'sent_at', wire_time(r.sent_at)))
from campaign_recipients r join campaigns c on c.app_id = r.app_id and c.id = r.campaign_id
where r.app_id = $1 and r.target_id = $2 and ($3 = '' or r.campaign_id > nullif($3, '')::uuid) order by r.campaign_id limit $4

-- name: hold_opt_outs
-- $1 app  $2 user.  Whoever sets them at once for one user waits here.
select 1 from users where app_id = $1 and id = $2 for no key update
