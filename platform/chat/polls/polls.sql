-- name: lock_poll
-- $1 app  $2 channel  $3 message.  No row: no poll in it. Those who vote at once wait here, so that counts and limits are exact.
select cardinality(options), max_votes, anonymous, closes_at, closed_at is not null, allow_suggestions from polls
where app_id = $1 and channel_id = $2 and message_id = $3 for update

-- name: get_poll
-- $1 app  $2 channel  $3 message.  No row: no poll in it.
select cardinality(options), max_votes, anonymous, closes_at, closed_at is not null, allow_suggestions from polls
where app_id = $1 and channel_id = $2 and message_id = $3

-- name: find_option
-- $1 app  $2 channel  $3 message  $4 text  $5 user.  One row: its place, or NULL; whether what the user does here is in the shadow of a ban.
select array_position(options, $4::text), is_shadowed($1, $5, $2) from polls where app_id = $1 and channel_id = $2 and message_id = $3

-- name: add_option
-- $1 app  $2 channel  $3 message  $4 text  $5 user
update polls set options = array_append(options, $4::text), votes = array_append(votes, 0::bigint),
  suggested_by = array_append(suggested_by, $5::uuid), changed = true
where app_id = $1 and channel_id = $2 and message_id = $3

-- name: list_own_votes
-- $1 app  $2 channel  $3 messages[]  $4 user
select message_id, option, shadowed from poll_votes
where app_id = $1 and channel_id = $2 and message_id = any ($3::uuid[]) and user_id = $4 order by message_id, option

-- name: insert_vote
-- $1 app  $2 channel  $3 message  $4 user  $5 option  $6 now.  count_vote counts. Whether it is in the shadow.
insert into poll_votes (app_id, channel_id, message_id, user_id, option, created_at, shadowed)
values ($1, $2, $3, $4, $5, $6, is_shadowed($1, $4, $2))
returning shadowed

-- name: delete_vote
-- $1 app  $2 channel  $3 message  $4 user  $5 option.  No row: not voted for. Whether it was in the shadow.
delete from poll_votes where app_id = $1 and channel_id = $2 and message_id = $3 and user_id = $4 and option = $5
returning shadowed

-- name: close_poll
-- $1 app  $2 channel  $3 message  $4 now  $5 user, or NULL.  No row: closed already, or gone. What changed is told with it.
update polls set closed_at = $4, closed_by = $5, changed = false
where app_id = $1 and channel_id = $2 and message_id = $3 and closed_at is null
returning 1

-- name: list_votes
-- $1 app  $2 channel  $3 message  $4 option, or NULL  $5 at most  $6 $7 $8 option, time and user of the last one before, or NULL
-- $9 whether shadowed ones are shown  $10 the reader, whose own are.
select v.option, u.user_id, v.created_at, v.user_id from poll_votes v
join users u on u.app_id = $1 and u.id = v.user_id
where v.app_id = $1 and v.channel_id = $2 and v.message_id = $3 and ($4::integer is null or v.option = $4)
  and (not v.shadowed or $9 or u.user_id = $10)
  and ($6::integer is null or v.option > $6 or (v.option = $6 and (v.created_at < $7 or (v.created_at = $7 and v.user_id > $8::uuid))))
order by v.option, v.created_at desc, v.user_id limit $5

-- name: changed_polls
-- $1 at most
select app_id, channel_id, message_id from changed_polls($1)

-- name: due_polls
-- $1 now  $2 at most
select app_id, channel_id, message_id from due_polls($1, $2)

-- name: lock_poll_channel
-- $1 app  $2 channel.  No row: gone. Its numbers are about to be taken.
select c.type, c.channel_id from channel_heads h join channels c on c.app_id = h.app_id and c.id = h.channel_id
where h.app_id = $1 and h.channel_id = $2 and c.deleted_at is null for update of h

-- name: take_change
-- $1 app  $2 channel  $3 message.  No row: told already, or gone.
update polls set changed = false where app_id = $1 and channel_id = $2 and message_id = $3 and changed returning 1
