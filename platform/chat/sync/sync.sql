-- What the client knows comes as five lists of one length: types, channel ids, epochs, numbers, read marks (-1: not said).

-- name: find_reader
-- $1 app  $2 user_id.  No row: no such user.
select id from users where app_id = $1 and user_id = $2 and deleted_at is null

-- name: sync_channels
-- $1 app  $2 user  $3 types[]  $4 channel ids[]  $5 epochs[]  $6 seqs[]  $7 read_seqs[]  $8 after channel, or NULL  $9 at most
-- $10 behind this cid  $11 up to this cid; '': no bound.
-- The user's channels that are not as it knows them.
with known as materialized (
  select * from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) as k (type, channel_id, epoch, seq, read_seq))
select s.id, s.type || ':' || s.channel_id, k.seq is not null, s.epoch = k.epoch and s.last_seq >= k.seq, s.last_seq = k.seq,
  s.epoch, s.last_seq, s.last_message_seq, m.read_message_seq, m.unread, m.mentions, m.hidden
from members_shown m
join channels_shown s on s.app_id = m.app_id and s.id = m.channel_id
left join known k on k.type = s.type and k.channel_id = s.channel_id
where m.app_id = $1 and m.id = $2 and ($8::uuid is null or m.channel_id > $8) and not s.blocked and not m.suspended
  and ($10 = '' or (s.type || ':' || s.channel_id) collate "C" > $10) and ($11 = '' or (s.type || ':' || s.channel_id) collate "C" <= $11)
  and (k.seq is null or k.epoch <> s.epoch or k.seq <> s.last_seq
       or (k.read_seq >= 0 and k.read_seq <> coalesce(m.read_message_seq, 0)))
  and not exists (select from channel_bans b where b.app_id = $1 and b.channel_id = s.id and b.user_id = m.id and not b.shadow
                  and (b.expires_at is null or b.expires_at > now()))
order by m.channel_id limit $9

-- name: sync_others
-- $1 app  $2 user  $3 types[]  $4 channel ids[]  $5 epochs[]  $6 seqs[]
-- What the user knows without being a member, or being kept out: changed open channels, and those that are not for it.
select * from (
  select k.type || ':' || k.channel_id as cid,
    s.id is not null and t.settings @> '{"open": true}' and not s.blocked
      and reaches_channel($1, u.teams, s.team, s.cross_team) and not exists (
      select from channel_bans b where b.app_id = $1 and b.channel_id = s.id and b.user_id = $2 and not b.shadow
        and (b.expires_at is null or b.expires_at > now())) as readable,
    s.epoch = k.epoch and s.last_seq >= k.seq as continues, s.last_seq = k.seq and s.epoch = k.epoch as same,
    s.epoch, s.last_seq, s.last_message_seq,
    exists (select from channel_members m where m.app_id = $1 and m.channel_id = s.id and m.user_id = $2)
      and reaches_channel($1, u.teams, s.team, s.cross_team) as member, s.blocked,
    exists (select from channel_bans b where b.app_id = $1 and b.channel_id = s.id and b.user_id = $2 and not b.shadow
            and (b.expires_at is null or b.expires_at > now())) as banned
  from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as k (type, channel_id, epoch, seq)
  join users u on u.app_id = $1 and u.id = $2
  left join channels_shown s on s.app_id = $1 and s.type = k.type and s.channel_id = k.channel_id
  left join channel_types t on t.app_id = $1 and t.type = s.type) named
where not (readable and same) and (not member or blocked or banned)
order by cid
