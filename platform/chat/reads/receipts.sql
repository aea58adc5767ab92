-- name: list_marks
-- $1 app  $2 channel  $3 after user (id), or NULL  $4 at most  $5 also of those who are not in the channel's team any more
select id, user_id, seen_seq, read_at, delivered_seq, delivered_at from members_shown
where app_id = $1 and channel_id = $2 and (seen_seq is not null or delivered_seq is not null) and ($3::uuid is null or id > $3)
  and ($5::boolean or not suspended)
order by id limit $4

-- name: number_from
-- $1 app  $2 channel  $3 message  $4 the channel's newest message.
-- The number of that message, or of the next countable one. No row: none yet.
select message_seq from messages
where app_id = $1 and channel_id = $2 and id >= $3 and id <= $4 and message_seq is not null
order by id limit 1

-- name: list_readers
-- $1 app  $2 channel  $3 number  $4 author, or NULL  $5 after user (id), or NULL  $6 at most  $7 as list_marks' $5
-- Who was a member when it was said, and whose mark has reached it.
select id, user_id, read_at from members_shown
where app_id = $1 and channel_id = $2 and seen_seq >= $3 and joined_message_seq < $3
  and ($4::text is null or user_id <> $4) and ($5::uuid is null or id > $5)
  and ($7::boolean or not suspended)
order by id limit $6

-- name: list_receivers
-- $1 app  $2 channel  $3 number  $4 author, or NULL  $5 after user (id), or NULL  $6 at most  $7 as list_marks' $5
select id, user_id, delivered_at from members_shown
where app_id = $1 and channel_id = $2 and delivered_seq >= $3 and joined_message_seq < $3
  and ($4::text is null or user_id <> $4) and ($5::uuid is null or id > $5)
  and ($7::boolean or not suspended)
order by id limit $6
