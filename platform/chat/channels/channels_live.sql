-- name: load_audience
-- $1 app  $2 channel.  No row: no such channel. Members as one array, so that all of it is one snapshot.
select h.epoch, h.last_seq, t.settings @> '{"open": true}', t.settings @> '{"large": true}',
  array(select u.user_id from channel_members m join users u on u.app_id = m.app_id and u.id = m.user_id
        where m.app_id = $1 and m.channel_id = $2 and reaches_channel($1, u.teams, c.team, c.cross_team)
          and (not c.has_bans or not exists (select from channel_bans b where b.app_id = $1 and b.channel_id = $2
                                             and b.user_id = m.user_id and not b.shadow)))::text
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
join channel_types t on t.app_id = c.app_id and t.type = c.type
where c.app_id = $1 and c.id = $2

-- name: locate_channels
-- $1 app  $2 types[]  $3 channel ids[]  $4 user_id, or '' for the customer's server
select s.id, s.type || ':' || s.channel_id, s.epoch, s.last_seq, m.read_message_seq, coalesce(m.unread, 0),
  $4 = '' or ((m.id is not null or t.settings @> '{"open": true}')
              and reaches_channel($1, coalesce((select v.teams from users v where v.app_id = $1 and v.user_id = $4), '{}'), s.team, s.cross_team)
              and not exists (select from users u join channel_bans b on b.app_id = u.app_id and b.user_id = u.id
                              where u.app_id = $1 and u.user_id = $4 and b.channel_id = s.id and not b.shadow))
from unnest($2::text[], $3::text[]) as wanted (type, channel_id)
join channels_shown s on s.app_id = $1 and s.type = wanted.type and s.channel_id = wanted.channel_id
join channel_types t on t.app_id = s.app_id and t.type = s.type
left join members_shown m on m.app_id = s.app_id and m.channel_id = s.id and m.user_id = $4
