-- name: next_campaign_to_plan
-- $1 now.  No row: none.
select app_id, id from next_campaign_to_plan($1)

-- name: put_off_planning
-- $1 app  $2 campaign  $3 until
update campaigns set plan_after = $3 where app_id = $1 and id = $2

-- name: claim_campaign_recipients
-- $1 now  $2 lease  $3 at most.  No row: no campaign is due; one without a target: nobody of it is.
select app_id, campaign_id, target_id from claim_campaign_recipients($1, $2::interval, $3)

-- name: judge_users
-- $1 app  $2 campaign  $3 users[]  $4 sender  $5 sender's user_id  $6 channel type  $7 team or NULL  $8 category or ''  $9 whether muted ones are
-- skipped  $10 whether channels are made  $11 now.  One row each, in their order: why not, or NULL; what texts need; the message that it has already.
select a.id,
  case when u.id is null or u.deleted_at is not null then 'deleted'
    when u.id = $4 then 'sender'
    when u.deactivated_at is not null then 'deactivated'
    when exists (select from bans_in_force b where b.app_id = $1 and b.user_id = u.id and (b.channel_id is null or b.channel_id = c.id) and not b.shadow) then 'banned'
    when exists (select from user_blocks b where b.app_id = $1 and b.user_id = u.id and b.blocked_id = $4)
      or exists (select from user_blocks b where b.app_id = $1 and b.user_id = $4 and b.blocked_id = u.id) then 'blocked'
    when exists (select from campaign_opt_outs o where o.app_id = $1 and o.user_id = u.id and o.category in ('', $8)) then 'opted_out'
    when not reaches_channel($1, u.teams, $7, false) then 'out_of_reach'
    when $9::boolean and (m.muted_at is not null and (m.mute_expires_at is null or m.mute_expires_at > $11)
      or exists (select from user_mutes t where t.app_id = $1 and t.user_id = u.id and t.muted_id = $4 and (t.expires_at is null or t.expires_at > $11))) then 'muted'
    when c.id is null and not $10::boolean then 'no_channel'
    when c.id is not null and m.user_id is null then 'left'
    when c.frozen then 'frozen'
    when exists (select from bans_in_force b where b.app_id = $1 and b.user_id = $4 and b.channel_id = c.id and not b.shadow) then 'banned' end,
  coalesce(u.user_id, ''), u.name, u.username, u.custom::text, coalesce(p.language, u.custom ->> 'language', ''), c.id, d.channel_id, r.given::text,
  coalesce(r.attempts, 0), coalesce(r.variant, 0), n.message_id
from unnest($3::uuid[]) with ordinality as a (id, ord)
left join lateral (select * from users u where u.app_id = $1 and u.id = a.id limit 1) u on true   -- each by its key: see send.sql
left join lateral (select * from push_preferences p where p.app_id = $1 and p.user_id = a.id limit 1) p on true
cross join lateral (select direct_channel_id(u.user_id, $5, $7) as channel_id) d
left join lateral (select * from channels c where c.app_id = $1 and c.type = $6 and c.channel_id = d.channel_id and c.deleted_at is null limit 1) c on true
left join lateral (select * from channel_members m where m.app_id = $1 and m.channel_id = c.id and m.user_id = a.id limit 1) m on true
left join lateral (select * from campaign_recipients r where r.app_id = $1 and r.campaign_id = $2 and r.target_id = a.id limit 1) r on true
left join lateral (select * from message_nonces n where n.app_id = $1 and n.channel_id = c.id and n.user_id = $4
    and n.nonce = 'campaign/' || $2::uuid || '/' || a.id and n.fingerprint = sha256(convert_to(n.nonce, 'UTF8')) limit 1) n on true
order by a.ord

-- name: judge_channels
-- $1 app  $2 campaign  $3 channels[]  $4 sender.  As judge_users.
select a.id,
  case when c.id is null then 'deleted'
    when c.frozen then 'frozen'
    when exists (select from bans_in_force b where b.app_id = $1 and b.user_id = $4 and b.channel_id = c.id and not b.shadow) then 'banned' end,
  coalesce(c.type, ''), coalesce(c.channel_id, ''), c.name, r.given::text, coalesce(r.attempts, 0), coalesce(r.variant, 0),
  n.message_id
from unnest($3::uuid[]) with ordinality as a (id, ord)
left join lateral (select * from channels c where c.app_id = $1 and c.id = a.id and c.deleted_at is null limit 1) c on true
left join lateral (select * from campaign_recipients r where r.app_id = $1 and r.campaign_id = $2 and r.target_id = a.id limit 1) r on true
left join lateral (select * from message_nonces n where n.app_id = $1 and n.channel_id = c.id and n.user_id = $4
    and n.nonce = 'campaign/' || $2::uuid || '/' || a.id and n.fingerprint = sha256(convert_to(n.nonce, 'UTF8')) limit 1) n on true
order by a.ord

-- name: sender_state
-- $1 app  $2 sender.  The sender as texts name it; no row: it can't send any more.
select u.name from users u where u.app_id = $1 and u.id = $2 and u.deleted_at is null and u.deactivated_at is null
  and not exists (select from bans_in_force b where b.app_id = $1 and b.user_id = u.id and b.channel_id is null)

-- name: keep_ends
-- $1 app  $2 campaign  $3 targets[]  $4 states[]  $5 reasons[]  $6 details[]  $7 channel types[]  $8 channel ids[]  $9 messages[]  $10 tried again at  $11 now
-- One row per end that was kept: its state. Whoever kept one first wins. Nothing is ever inserted: a conflict is what finds a row by its key, where
-- an update from a list may be planned through everybody who waits.
insert into campaign_recipients as r
  (app_id, campaign_id, target_id, state, reason, detail, channel_uuid, message_id, message_seq, claimed_until, updated_at, sent_at)
select $1, $2, e.target, e.state, e.reason, e.detail, m.channel_id, m.id, m.message_seq, case when e.state = 'waiting' then $10::timestamptz end,
  $11, case when e.state = 'sent' then $11::timestamptz end
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[]) as e (target, state, reason, detail, type, channel, message)
cross join lateral (select * from campaign_recipients w where w.app_id = $1 and w.campaign_id = $2 and w.target_id = e.target limit 1 for no key update) w
left join lateral (select * from channels c where c.app_id = $1 and c.type = e.type and c.channel_id = e.channel and c.deleted_at is null limit 1) c on true
left join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = e.message limit 1) m on true
where w.state = 'waiting'
on conflict (app_id, campaign_id, target_id) do update set state = excluded.state, reason = excluded.reason, detail = excluded.detail,
  channel_uuid = excluded.channel_uuid, message_id = excluded.message_id, message_seq = coalesce(excluded.message_seq, r.message_seq),
  claimed_until = excluded.claimed_until, updated_at = excluded.updated_at, sent_at = excluded.sent_at
returning r.state

-- name: release_recipients
-- $1 app  $2 campaign  $3 targets[]  $4 not before
update campaign_recipients set claimed_until = $4, attempts = attempts - 1
where app_id = $1 and campaign_id = $2 and target_id = any ($3::uuid[]) and state = 'waiting'

-- name: look_again_at
-- $1 app  $2 campaign  $3 when
update campaigns set next_at = least(next_at, $3) where app_id = $1 and id = $2

-- name: rest_until
-- $1 app  $2 campaign  $3 when.  Nobody of it is taken before.
update campaigns set next_at = $3 where app_id = $1 and id = $2

-- name: keep_approved
-- $1 app  $2 campaign  $3 target  $4 who sent it  $5 channel type  $6 channel id  $7 message  $8 now
-- A row, if it was held, or its end is not kept yet: then the end that comes finds it sent.
update campaign_recipients r set state = 'sent', reason = null, detail = null, channel_uuid = m.channel_id, message_id = m.id, message_seq = m.message_seq,
  claimed_until = null, updated_at = $8, sent_at = $8
from campaigns k
join users u on u.app_id = k.app_id and u.id = k.sender_id and u.user_id = $4
join channels c on c.app_id = k.app_id and c.type = $5 and c.channel_id = $6 and c.deleted_at is null
join messages m on m.app_id = k.app_id and m.channel_id = c.id and m.id = $7
where k.app_id = $1 and k.id = $2 and r.app_id = $1 and r.campaign_id = $2 and r.target_id = $3
  and (r.state = 'waiting' or (r.state = 'skipped' and r.reason = 'held'))
