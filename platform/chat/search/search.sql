-- name: read_query
-- $1 language  $2 text.  What the text asks for: 'T' or '' when no word of it must occur.
select querytree(websearch_to_tsquery($1::regconfig, $2)), numnode(websearch_to_tsquery($1::regconfig, $2))

-- name: search_messages
-- $1 app  $2 user, or NULL: all channels  $3 channels[], or NULL: the user's  $4 language  $5 text, or NULL  $6 tags, or NULL
-- $7 above this id  $8 below this id  $9 candidates  $10 look further below so many  $11 by relevance  $12 after this rank, or NULL
-- $13 after this id  $14 at most
with asked as (
  select case when $5::text is null then $6::tsquery
              when $6 is null then websearch_to_tsquery($4::regconfig, $5)
              else websearch_to_tsquery($4::regconfig, $5) && $6::tsquery end as words
), scope as (   -- a channel's history starts after what was truncated, a member's after what it cleared
  select n.id, greatest(m.cleared_message_id, c.truncated_message_id) as floor from unnest($3::uuid[]) n (id)
  join channels c on c.app_id = $1 and c.id = n.id
  left join channel_members m on m.app_id = $1 and m.channel_id = n.id and m.user_id = $2
  union all
  select m.channel_id, greatest(m.cleared_message_id, c.truncated_message_id) from channel_members m
  join channels c on c.app_id = m.app_id and c.id = m.channel_id
  join users v on v.app_id = $1 and v.id = $2 and reaches_channel($1, v.teams, c.team, c.cross_team)
  where m.app_id = $1 and m.user_id = $2 and $3::uuid[] is null
    and not exists (select from bans_in_force b where b.app_id = $1 and b.user_id = $2 and b.channel_id = m.channel_id and not b.shadow)
), mine as materialized (
  select case when $2::uuid is not null or $3::uuid[] is not null then coalesce(array_agg(id), '{}') end as ids,
    case when bool_or(floor is not null) then array_agg(coalesce(floor, '00000000-0000-0000-0000-000000000000')) end as floors from scope
)
select f.channel_id, f.id, f.rank::text
from asked, mine, search_messages($1, mine.ids, mine.floors, asked.words, $7, $8, $9, $10, $2) f
where $12::real is null or (f.rank, f.id) < ($12, $13::uuid)
order by case when $11 then f.rank end desc, f.id desc limit $14

-- name: write_snippets
-- $1 app  $2 channels[]  $3 messages[]  $4 language  $5 text.  Matches stand between U+0001 and U+0002, which the text itself loses.
-- A short message is shown whole.
select m.id, ts_headline($4::regconfig, translate(left(m.text, 8000), E'\x01\x02', ''), websearch_to_tsquery($4::regconfig, $5),
  E'StartSel="\x01", StopSel="\x02", ' || case when length(m.text) <= 200 then 'HighlightAll=true'
    else 'MaxFragments=2, MaxWords=30, MinWords=8, FragmentDelimiter=" … "' end)
from unnest($2::uuid[], $3::uuid[]) as hit (channel_id, id)
join messages m on m.app_id = $1 and m.channel_id = hit.channel_id and m.id = hit.id
where m.app_id = $1 and m.deleted_at is null

-- name: search_channels
-- $1 app  $2 user, or NULL: all channels  $3 text  $4 after this name, or NULL  $5 after this id  $6 at most
with asked as (
  select string_agg('''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || ''':*', ' & ')::tsquery as words
  from unnest(to_tsvector('simple', $3)) w
)
select f.id, f.type, f.channel_id, f.name from asked, search_channels($1, $2, asked.words, $4, $5, $6) f
