-- name: lock_heads
-- $1 app  $2 channel types[]  $3 channel ids[].  In one order everywhere, so that batches never deadlock.
-- A statement of its own: what the next one sees was committed before these locks were granted.
-- Here and below, `limit 1` and `= any` have each row looked up by its key whatever is known of the tables: where most tenants have
-- few channels, a join may walk through all that a large one has.
select 1 from channel_heads h
where h.app_id = $1 and h.channel_id = any (array(
  select c.id from unnest($2::text[], $3::text[]) as wanted (t, i) cross join lateral (
    select c.id from channels c where c.app_id = $1 and c.type = wanted.t and c.channel_id = wanted.i and c.deleted_at is null limit 1) c))
order by h.channel_id
for update

-- name: send_messages
-- $1 app  $2 ords[]  $3 channel types[]  $4 channel ids[]  $5 user_ids[]  $6 by a server[]  $7 ids[]  $8 types[]  $9 texts[]
-- $10 attachments[]  $11 mentions[]  $12 customs[]  $13 parents[]  $14 parent is fine[]  $15 shown in channel[]  $16 quoted[]
-- $17 quoted is fine[]  $18 silent[]  $19 nonces[]  $20 nonce keys[]  $21 fingerprints, hex[]  $22 now  $23 day  $24 shard
-- $25 whether this node knows of a webhook endpoint that wants message.new; otherwise the database says it: one may be new
-- $26 extras[]  $27 whether it has search  $28 whether its teams are apart
-- $29 whether it has push  $30 to be shadowed[].
-- One row per item with its verdict; 'ok' alone was written. This is the authoritative check: it runs under the head's lock.
with input as (
  select * from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::uuid[], $8::text[], $9::text[],
      $10::text[], $11::text[], $12::text[], $13::uuid[], $14::boolean[], $15::boolean[], $16::uuid[], $17::boolean[],
      $18::boolean[], $19::text[], $20::text[], $21::text[], $26::jsonb[], $30::boolean[])
    as i (ord, channel_type, channel, user_id, by_server, id, type, text, attachments, mentions, custom, parent_id, parent_fine,
          show_in_channel, quoted_id, quoted_fine, silent, nonce, nonce_key, fingerprint, extras, in_shadow)
), judged as materialized (
  select i.*, c.id as channel_uuid, u.id as user_uuid, h.epoch, h.last_seq, h.last_message_seq, coalesce(h.last_message_id, c.id) as floor_id,
    n.message_id as stored_id, n.fingerprint = decode(i.fingerprint, 'hex') as same,
    i.type <> 'system' and not i.silent and (i.parent_id is null or i.show_in_channel) and b.shadow is not true and not i.in_shadow
      as countable,
    b.shadow is true or i.in_shadow as shadowed, p.paced, p.wait, c.slow_mode, c.cooldown, c.team,
    case
      when c.id is null then 'no_channel'
      when u.id is null then 'no_user'
      when u.deactivated_at is not null then 'deactivated'
      when u.type = 'anonymous' and not i.by_server then 'anonymous'
      when not i.by_server and m.user_id is null and not coalesce((t.settings ->> 'open')::boolean, false) then 'no_channel'
      when $28 and not i.by_server and not c.cross_team and not in_team(u.teams, c.team) then 'no_channel'
      when n.message_id is not null then 'stored'
      when b.shadow is false then 'banned'
      when not i.by_server and not coalesce(
        r.granted ? case when i.parent_id is null then 'chat:message:send' else 'chat:message:reply' end, true)
        and not r.of_team ? case when i.parent_id is null then 'chat:message:send' else 'chat:message:reply' end then 'not_granted'
      when c.blocked and h.member_count = 2 and not i.by_server then 'blocked'
      when c.frozen and not i.by_server
        and not coalesce(r.granted ? 'chat:message:send_frozen', m.role in ('owner', 'admin', 'moderator'), false)
        and not r.of_team ? 'chat:message:send_frozen' then 'frozen'
      when i.extras is not null and not i.by_server
        and not coalesce(r.granted ? 'chat:message:mention_all', m.role in ('owner', 'admin', 'moderator'), false)
        and not r.of_team ? 'chat:message:mention_all'
        and coalesce(i.extras -> 'mention_channel', i.extras -> 'mention_here') = 'true' then 'no_mention_all'
      when i.extras ? 'mention_roles' and not i.by_server and not coalesce(r.granted ? 'chat:message:mention_roles', true)
        and not r.of_team ? 'chat:message:mention_roles' then 'no_mention_roles'
      when i.extras ? 'poll' and not coalesce((c.settings ->> 'polls')::boolean, (t.settings ->> 'polls')::boolean, true) then 'no_polls'
      when i.extras ? 'poll' and not i.by_server and not coalesce(r.granted ? 'chat:poll:create', true)
        and not r.of_team ? 'chat:poll:create' then 'not_granted_poll'
      when octet_length(i.text) > coalesce((c.settings ->> 'max_message_bytes')::bigint, (t.settings ->> 'max_message_bytes')::bigint, 20000) then 'too_large'
      when i.parent_id is not null and not coalesce((c.settings ->> 'replies')::boolean, (t.settings ->> 'replies')::boolean, true) then 'no_replies'
      when i.quoted_id is not null and not coalesce((c.settings ->> 'quotes')::boolean, (t.settings ->> 'quotes')::boolean, true) then 'no_quotes'
      when i.parent_id is not null and not i.parent_fine then 'no_parent'
      when i.quoted_id is not null and not i.quoted_fine then 'no_quoted'
      when p.wait > 0 then 'slow_mode'
      when i.extras ? 'pending' then 'pending'
      when not i.by_server and (coalesce((c.settings ->> 'pending')::boolean, (t.settings ->> 'pending')::boolean, false)
          or coalesce(greatest(m.held_until, u.held_until, case when m.user_id is null then (   -- on probation; who is no member has no row for it
            select s.probation_until from moderation_standings s
            where s.app_id = $1 and s.user_id = u.id and s.channel_id = c.id and s.probation_until > $22 and coalesce(
              (select (g.settings ->> 'probation_holds')::boolean from moderation_settings g where g.app_id = $1), true)) end) > $22, false))
        and not coalesce(r.granted ? 'chat:message:approve', m.role in ('owner', 'admin', 'moderator'), false)
        and not r.of_team ? 'chat:message:approve' then 'pending'
      when i.id <= coalesce(h.last_message_id, c.id) then 'stale_id'   -- nothing is older than its channel
      else 'ok'
    end as verdict
  from input i
  left join lateral (select * from channels c
    where c.app_id = $1 and c.type = i.channel_type and c.channel_id = i.channel and c.deleted_at is null limit 1) c on true
  left join lateral (select * from channel_heads h where h.app_id = $1 and h.channel_id = c.id limit 1) h on true
  left join lateral (select * from channel_types t where t.app_id = $1 and t.type = i.channel_type limit 1) t on true
  left join lateral (select * from users u where u.app_id = $1 and u.user_id = i.user_id and u.deleted_at is null limit 1) u on true
  left join lateral (select * from channel_members m where m.app_id = $1 and m.channel_id = c.id and m.user_id = u.id limit 1) m on true
  left join lateral (select * from message_nonces n
    where n.app_id = $1 and n.channel_id = c.id and n.user_id = u.id and n.nonce = i.nonce_key limit 1) n on true
  cross join lateral (   -- where nobody is banned, nothing is looked up
    select case when (u.banned or c.has_bans) and not i.by_server then (
      select bool_and(x.shadow) from bans_in_force x
      where x.app_id = $1 and x.user_id = u.id and (x.channel_id = c.id or x.channel_id is null)) end as shadow) b
  cross join lateral (   -- the actions that the type grants this role; NULL: the defaults
    select case when t.settings ? 'grants' then coalesce(
      t.settings -> 'grants' -> coalesce(m.role, 'anyone'),
      case when m.role not in ('owner', 'admin', 'moderator', 'member') then t.settings -> 'grants' -> 'member' end) end as granted,
      coalesce(t.settings -> 'grants' -> (u.teams ->> c.team), '[]') as of_team) r   -- and those of the user's role in the channel's team
  cross join lateral (   -- seconds to wait; only where there is a slow mode, and for whom it holds
    select s.paced, case when s.paced then greatest(
      extract(epoch from h.last_message_at - $22) + c.cooldown,
      extract(epoch from (select l.sent_at from send_paces l where l.app_id = $1 and l.channel_id = c.id and l.user_id = u.id) - $22)
        + c.slow_mode) end as wait
    from (select (c.slow_mode > 0 or c.cooldown > 0) and not i.by_server
      and not coalesce(r.granted ? 'chat:message:skip_slow_mode', m.role in ('owner', 'admin', 'moderator'), false)
      and not r.of_team ? 'chat:message:skip_slow_mode' as paced) s) p
), accepted as materialized (
  select *,   -- 0: not numbered; only its author and moderators know of it
    case when shadowed then 0 else last_seq + count(*) filter (where not shadowed) over (partition by channel_uuid order by ord) end as seq,
    case when countable then last_message_seq + count(*) filter (where countable) over (partition by channel_uuid order by ord) end
      as message_seq
  from judged j where verdict = 'ok'   -- in slow mode, the first of a batch alone
    and not (paced and exists (select from judged e where e.ord < j.ord and e.channel_uuid = j.channel_uuid and e.verdict = 'ok'
                               and (j.cooldown > 0 or e.user_uuid = j.user_uuid)))
), written as (
  insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, attachments, mentions, custom, parent_id,
    show_in_channel, quoted_id, silent, nonce, extras, created_at)
  select $1, channel_uuid, id, seq, message_seq, user_uuid, type, text, attachments::jsonb, mentions::jsonb, custom::jsonb,
    parent_id, show_in_channel, quoted_id, silent, nonce,
    case when extras ? 'poll' then extras || '{"poll": true}' else extras end, $22 from accepted
), moved as (
  update channel_heads h set last_seq = greatest(h.last_seq, a.seq), last_message_seq = greatest(h.last_message_seq, a.message_seq),
    last_message_id = a.id, last_message_at = case when a.seq > 0 then $22 else h.last_message_at end
  from (select channel_uuid, max(seq) as seq, max(message_seq) as message_seq, (array_agg(id order by ord desc))[1] as id
        from accepted group by channel_uuid) a
  where h.app_id = $1 and h.channel_id = a.channel_uuid and h.channel_id = any (array(select channel_uuid from accepted))
), has_read as (
  update channel_members m set read_message_seq = a.message_seq, read_at = $22
  from (select channel_uuid, user_uuid, max(message_seq) as message_seq from accepted group by channel_uuid, user_uuid) a
  where m.app_id = $1 and m.channel_id = a.channel_uuid and m.user_id = a.user_uuid and a.message_seq is not null
), slowed as (
  insert into send_paces (app_id, channel_id, user_id, sent_at)
  select distinct $1::uuid, channel_uuid, user_uuid, $22::timestamptz from accepted where paced and slow_mode > 0
  on conflict (app_id, user_id, channel_id) do update set sent_at = excluded.sent_at
), remembered as (
  insert into message_nonces (app_id, channel_id, user_id, nonce, message_id, fingerprint, created_at)
  select $1, channel_uuid, user_uuid, nonce_key, id, decode(fingerprint, 'hex'), $22 from accepted where nonce_key is not null
), metered as (
  insert into usage_metrics (app_id, day, meter, shard, value)
  select $1, $23::date, 'messages', $24, count(*) from accepted having count(*) > 0
  on conflict (app_id, day, meter, shard) do update set value = usage_metrics.value + excluded.value
), metered_by_team as (
  insert into team_usage_metrics (app_id, team_id, day, meter, shard, value)
  select $1, team, $23::date, 'messages', $24, count(*) from accepted where team is not null group by team order by team
  on conflict (app_id, team_id, day, meter, shard) do update set value = team_usage_metrics.value + excluded.value
), boxed as (
  insert into outbox (app_id, id, type, channel_id, seq, message_id, created_at)
  select $1, id, 'message.new', channel_uuid, seq, id, $22 from accepted
  where not shadowed and ($25 or exists (select from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, 'message.new')))
  union all   -- slash commands; the id as command_text.h has it
  select $1, (left(id::text, 24) || left(encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), 12))::uuid, 'command.invoked', channel_uuid, null, id, $22
  from accepted
  where not shadowed and extras ? 'command'
    and exists (select from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, 'command.invoked'))
), queued as (
  insert into search_queue (app_id, id, channels, messages)
  select $1, (array_agg(id))[1], array_agg(channel_uuid), array_agg(id) from accepted where $27 having count(*) > 0
), pushed as (   -- who is notified of them is found out later, by a job
  insert into push_queue (app_id, id, event, channels, messages, created_at)
  select $1, (array_agg(id))[1], 'message.new', array_agg(channel_uuid), array_agg(id), $22 from accepted
  where $29 and not shadowed and not silent and type <> 'system' having count(*) > 0
)
select j.ord, case when j.verdict = 'ok' and a.ord is null then 'slow_mode' else j.verdict end, j.channel_uuid, j.epoch, a.seq,
  a.message_seq, j.stored_id, j.same, j.floor_id,
  ceil(case when j.verdict = 'ok' then greatest(j.slow_mode, j.cooldown) else j.wait end)::bigint as wait
from judged j left join accepted a on a.ord = j.ord
order by j.ord

-- name: check_references
-- $1 app  $2 ords[]  $3 channel types[]  $4 channel ids[]  $5 messages[]  $6 must it be able to have replies[]  $7 user_ids[].
-- Rows: the ords whose message is there, and whether it is in the shadow: then its author alone answers it.
select r.ord, m.seq = 0 from unnest($2::int[], $3::text[], $4::text[], $5::uuid[], $6::boolean[], $7::text[]) as r (ord, type, channel, id, as_parent, user_id)
cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id limit 1) m
where m.deleted_at is null and (not r.as_parent or m.parent_id is null)
  and (c.truncated_message_id is null or m.id > c.truncated_message_id)
  and (m.seq > 0 or m.user_id = (select u.id from users u where u.app_id = $1 and u.user_id = r.user_id))

-- name: count_replies
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 replies[]: those of them that were written count at their parents.
update messages p set reply_count = p.reply_count + n.replies, last_reply_at = n.newest
from (select m.channel_id, m.parent_id, count(*) as replies, max(m.created_at) as newest
      from unnest($2::text[], $3::text[], $4::uuid[]) as r (type, channel, id)
      cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
      cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id and m.seq > 0 limit 1) m
      group by m.channel_id, m.parent_id) n
where p.app_id = $1 and p.channel_id = n.channel_id and p.id = n.parent_id

-- name: follow_threads
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 replies[]  $5 now: of those that were written, the authors of the reply and of
-- what it replies to take part in the thread and follow it. A reply marks what is before it as read for its author.
insert into thread_members (app_id, channel_id, parent_id, user_id, participates, follows, read_id, created_at, updated_at)
select $1, m.channel_id, m.parent_id, who.user_id, true, true, (array_agg(who.read_id order by who.read_id desc nulls last))[1], $5, $5
from unnest($2::text[], $3::text[], $4::uuid[]) as r (type, channel, id)
cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id and m.seq > 0 limit 1) m
cross join lateral (select * from messages p where p.app_id = $1 and p.channel_id = c.id and p.id = m.parent_id limit 1) p
cross join lateral (values (m.user_id, m.id), (p.user_id, null)) as who (user_id, read_id)
group by m.channel_id, m.parent_id, who.user_id
on conflict (app_id, user_id, channel_id, parent_id) do update
set participates = true, follows = thread_members.follows or excluded.read_id is not null,
  read_id = greatest(excluded.read_id, thread_members.read_id), updated_at = $5
where excluded.read_id is not null

-- name: insert_mentions
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 messages[]  $5 user_ids[]  $6 now: of written messages, and of members only.
-- Whom a reply mentions follows its thread, with what was said before as read.
with mentioned as (
  insert into mentions (app_id, user_id, channel_id, message_id, message_seq)
  select $1, u.id, m.channel_id, m.id, m.message_seq
  from unnest($2::text[], $3::text[], $4::uuid[], $5::text[]) as r (type, channel, id, user_id)
  cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
  cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id and m.seq > 0 limit 1) m
  join users u on u.app_id = $1 and u.user_id = r.user_id
  join channel_members cm on cm.app_id = $1 and cm.channel_id = c.id and cm.user_id = u.id
  where reaches_channel($1, u.teams, c.team, c.cross_team)
  on conflict do nothing returning user_id, channel_id, message_id
)
insert into thread_members (app_id, channel_id, parent_id, user_id, participates, follows, read_id, created_at, updated_at)
select $1, f.channel_id, f.parent_id, f.user_id, false, true, (
  select r.id from messages r where r.app_id = $1 and r.channel_id = f.channel_id and r.parent_id = f.parent_id
    and r.id > f.parent_id and r.id < f.reply and r.seq > 0 order by r.id desc limit 1), $6, $6
from (select m.channel_id, m.parent_id, x.user_id, (array_agg(m.id order by m.id))[1] as reply from mentioned x
      join messages m on m.app_id = $1 and m.channel_id = x.channel_id and m.id = x.message_id
      where m.parent_id is not null and m.user_id <> x.user_id
      group by m.channel_id, m.parent_id, x.user_id) f
on conflict (app_id, user_id, channel_id, parent_id) do update
set follows = true, read_id = greatest(thread_members.read_id, excluded.read_id), updated_at = $6
where not thread_members.follows

-- name: insert_channel_mentions
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 messages[]  $5 roles[], an array literal each: of written messages.
insert into channel_mentions (app_id, channel_id, message_id, message_seq, roles)
select $1, m.channel_id, m.id, m.message_seq, r.roles::text[]
from unnest($2::text[], $3::text[], $4::uuid[], $5::text[]) as r (type, channel, id, roles)
cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id and m.seq > 0 limit 1) m

-- name: insert_polls
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 messages[]  $5 extras[], with the poll: of written messages.
insert into polls (app_id, channel_id, message_id, question, options, votes, anonymous, max_votes, closes_at, allow_suggestions)
select $1, m.channel_id, m.id, p.poll ->> 'question', o.texts, array_fill(0::bigint, array[cardinality(o.texts)]),
  (p.poll ->> 'anonymous')::boolean, (p.poll ->> 'max_votes')::integer, (p.poll ->> 'closes_at')::timestamptz,
  coalesce((p.poll ->> 'allow_suggestions')::boolean, false)
from (select type, channel, id, extras::jsonb -> 'poll' as poll from unnest($2::text[], $3::text[], $4::uuid[], $5::text[])
      as r (type, channel, id, extras)) p
cross join lateral (select * from channels c where c.app_id = $1 and c.type = p.type and c.channel_id = p.channel and c.deleted_at is null limit 1) c
cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = p.id limit 1) m
cross join lateral (select array_agg(e ->> 'text' order by n) as texts from jsonb_array_elements(p.poll -> 'options') with ordinality x (e, n)) o

-- name: clear_drafts
-- $1 app  $2 ords[]  $3 channel types[]  $4 channel ids[]  $5 messages[]: of those that were written, the author's draft in the channel,
-- or in the thread that it replies to, goes.  Rows: the ords of those that had one.
delete from message_drafts d
using (
  select r.ord, m.user_id, m.channel_id, coalesce(m.parent_id, '00000000-0000-0000-0000-000000000000') as parent_id
  from unnest($2::int[], $3::text[], $4::text[], $5::uuid[]) as r (ord, type, channel, id)
  cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
  cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id limit 1) m) w
where d.app_id = $1 and d.user_id = w.user_id and d.channel_id = w.channel_id and d.parent_id = w.parent_id
returning w.ord

-- name: queue_previews
-- $1 app  $2 channel types[]  $3 channel ids[]  $4 messages[]  $5 now: written ones with links, where the channel wants previews.
insert into preview_queue (app_id, channel_id, message_id, created_at)
select $1, m.channel_id, m.id, $5 from unnest($2::text[], $3::text[], $4::uuid[]) as r (type, channel, id)
join channel_types t on t.app_id = $1 and t.type = r.type
cross join lateral (select * from channels c where c.app_id = $1 and c.type = r.type and c.channel_id = r.channel and c.deleted_at is null limit 1) c
cross join lateral (select * from messages m where m.app_id = $1 and m.channel_id = c.id and m.id = r.id and m.seq > 0 limit 1) m
where coalesce((c.settings ->> 'link_previews')::boolean, (t.settings ->> 'link_previews')::boolean, false)

-- name: stored_messages
-- $1 app  $2 channels[]  $3 messages[].  What an earlier send under the same nonce stored.
select s.id, s.cid, s.seq, s.message_seq, s.type, s.user_id, s.text, s.attachments, s.mentions, s.custom, s.parent_id,
  s.show_in_channel, s.quoted_id, s.reply_count, s.silent, s.nonce, s.created_at, s.updated_at, s.deleted_at, s.erased, s.reactions, s.pin, s.extras
from unnest($2::uuid[], $3::uuid[]) as wanted (channel, id)
join messages_shown s on s.app_id = $1 and s.channel_id = wanted.channel and s.id = wanted.id

-- name: remember_command
-- $1 app  $2 channel  $3 user_id  $4 nonce key  $5 event  $6 fingerprint, hex  $7 now.  Of a command that is not sent; the first one stays.
insert into message_nonces (app_id, channel_id, user_id, nonce, message_id, fingerprint, created_at)
select $1, $2, u.id, $4, $5, decode($6, 'hex'), $7 from users u where u.app_id = $1 and u.user_id = $3
on conflict (app_id, channel_id, user_id, nonce) do nothing

-- name: find_remembered
-- $1 app  $2 channel  $3 user_id  $4 nonce key  $5 fingerprint, hex.  Row: what the first one made, and whether it said the same.
select n.message_id, n.fingerprint = decode($5, 'hex') from message_nonces n
join users u on u.app_id = $1 and u.user_id = $3
where n.app_id = $1 and n.channel_id = $2 and n.user_id = u.id and n.nonce = $4
