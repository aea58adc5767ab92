-- name: insert_line
-- $1 app  $2 id  $3 action  $4 by  $5 moderator  $6 item  $7 subject type  $8 subject  $9 channel  $10 about  $11 rule  $12 reason  $13 points
-- $14 shown to whom it is about  $15 params  $16 changed  $17 undoes  $18 flagged at, or NULL  $19 now
insert into moderation_log (app_id, id, action, by, moderator, item_id, subject_type, subject_id, channel_id, about, rule, reason, points, shown, params,
  changed, undoes, waited_seconds, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16::jsonb, $17,
  extract(epoch from $19::timestamptz - $18::timestamptz), $19)

-- name: list_log
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]
select l.id, l.action, l.by, m.user_id, c.type || ':' || c.channel_id, a.user_id, l.rule, l.reason, l.subject_type, l.subject_id, l.item_id, l.points,
  l.shown, l.params::text, l.changed::text, l.undoes, x.id, x.created_at, l.channel_id, l.about, l.created_at
from moderation_log l
left join users m on m.app_id = $1 and m.id = l.moderator
left join users a on a.app_id = $1 and a.id = l.about
left join channels c on c.app_id = $1 and c.id = l.channel_id
left join moderation_log x on x.app_id = $1 and x.undoes = l.id
where l.app_id = $1 and seen_by_moderator($1, $2, $3, $4, $5, l.channel_id, l.about)

-- name: get_line
-- $1 app  $2 reviewer, or NULL: a server  $3 whole application  $4 roles[]  $5 roles in teams[]  $6 line.  No row: missing, or out of sight.
select l.id, l.action, l.by, m.user_id, c.type || ':' || c.channel_id, a.user_id, l.rule, l.reason, l.subject_type, l.subject_id, l.item_id, l.points,
  l.shown, l.params::text, l.changed::text, l.undoes, x.id, x.created_at, l.channel_id, l.about, l.created_at
from moderation_log l
left join users m on m.app_id = $1 and m.id = l.moderator
left join users a on a.app_id = $1 and a.id = l.about
left join channels c on c.app_id = $1 and c.id = l.channel_id
left join moderation_log x on x.app_id = $1 and x.undoes = l.id
where l.app_id = $1 and l.id = $6 and seen_by_moderator($1, $2, $3, $4, $5, l.channel_id, l.about)

-- name: log_of_item
-- $1 app  $2 item  $3 at most.  The newest first.
select l.id, l.action, l.by, m.user_id, c.type || ':' || c.channel_id, a.user_id, l.rule, l.reason, l.subject_type, l.subject_id, l.item_id, l.points,
  l.shown, l.params::text, l.changed::text, l.undoes, x.id, x.created_at, l.channel_id, l.about, l.created_at
from moderation_log l
left join users m on m.app_id = $1 and m.id = l.moderator
left join users a on a.app_id = $1 and a.id = l.about
left join channels c on c.app_id = $1 and c.id = l.channel_id
left join moderation_log x on x.app_id = $1 and x.undoes = l.id
where l.app_id = $1 and l.item_id = $2 order by l.id desc limit $3

-- name: stats
-- $1 app  $2 first day  $3 day after the last  $4 what it is counted by  $5 after this day, or NULL  $6 and this value  $7 at most
-- Days in UTC. The median is of decisions alone: seconds from the flag.
select s.day::text, s.value, s.count, s.median from (
  select d.day, d.value, count(*) as count, percentile_cont(0.5) within group (order by d.waited) as median from (
    select (f.created_at at time zone 'UTC')::date as day, case $4::text when 'reason' then coalesce(f.reason, '') else f.source end as value,
      null::double precision as waited
    from moderation_flags f where $4 in ('reason', 'source') and f.app_id = $1 and f.created_at >= $2::date and f.created_at < $3::date
    union all
    select (l.created_at at time zone 'UTC')::date, l.action, l.waited_seconds
    from moderation_log l where $4 = 'decision' and l.app_id = $1 and l.created_at >= $2::date and l.created_at < $3::date
      and l.action <> 'assign') d
  group by d.day, d.value) s
where $5::date is null or (s.day, s.value) > ($5::date, $6::text)
order by s.day, s.value limit $7
