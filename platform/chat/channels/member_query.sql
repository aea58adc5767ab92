-- name: query_members
-- $1 app  $2 channel  $3 what was typed, or NULL  $4 also those who are not in the channel's team any more.  As members_shown, without what is a member's own.
select m.user_id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at, 0, m.custom::text, false, null, false,
  null, null, null
from channel_members m
join users u on u.app_id = m.app_id and u.id = m.user_id
join channels c on c.app_id = m.app_id and c.id = m.channel_id
where m.app_id = $1 and m.channel_id = $2 and ($4::boolean or reaches_channel($1, u.teams, c.team, c.cross_team))
  and ($3::text is null or exists (
    select from user_words w where w.app_id = $1 and w.user_id = m.user_id
      and w.word >= left(lower(normalize($3, NFKC)), 64) collate "C" and w.word < (left(lower(normalize($3, NFKC)), 64) || U&'\+10FFFF') collate "C"))
