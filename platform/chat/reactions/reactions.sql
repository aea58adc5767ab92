-- name: lock_message
-- $1 app  $2 channel  $3 message  $4 type.  No row: no such message, or deleted. How many other types of reactions it has.
select (select count(*) from jsonb_object_keys(coalesce(reactions, '{}') - $4)) from messages
where app_id = $1 and channel_id = $2 and id = $3 and deleted_at is null for update

-- name: list_own
-- $1 app  $2 channel  $3 messages[]  $4 user
select message_id, type, score, created_at, updated_at, shadowed from message_reactions
where app_id = $1 and channel_id = $2 and message_id = any ($3::uuid[]) and user_id = $4
order by message_id, created_at, type

-- name: insert_reaction
-- $1 app  $2 channel  $3 message  $4 user  $5 type  $6 score  $7 now.  One row: whether it is in the shadow of a ban.
insert into message_reactions (app_id, channel_id, message_id, user_id, type, score, created_at, shadowed)
values ($1, $2, $3, $4, $5, $6, $7, is_shadowed($1, $4, $2)) returning shadowed

-- name: update_score
-- $1 app  $2 channel  $3 message  $4 user  $5 type  $6 score  $7 now
update message_reactions set score = $6, updated_at = $7
where app_id = $1 and channel_id = $2 and message_id = $3 and user_id = $4 and type = $5

-- name: delete_reaction
-- $1 app  $2 channel  $3 message  $4 user  $5 type
delete from message_reactions where app_id = $1 and channel_id = $2 and message_id = $3 and user_id = $4 and type = $5

-- name: list_reactions
-- $1 app  $2 channel  $3 message  $4 type, or NULL  $5 at most  $6 $7 $8 type, time and user of the last one before, or NULL
-- $9 whether shadowed ones are shown  $10 the reader, whose own are.
select r.type, u.user_id, r.score, r.created_at, r.updated_at, r.user_id from message_reactions r
join users u on u.app_id = $1 and u.id = r.user_id
where r.app_id = $1 and r.channel_id = $2 and r.message_id = $3 and ($4::text is null or r.type = $4)
  and (not r.shadowed or $9 or u.user_id = $10)
  and ($6::text is null or r.type > $6 or (r.type = $6 and (r.created_at < $7 or (r.created_at = $7 and r.user_id > $8::uuid))))
order by r.type, r.created_at desc, r.user_id limit $5

-- name: find_counts
-- $1 app  $2 channels[]  $3 messages[]; pairs.  The counts of those that are not deleted.
select m.id, coalesce(m.reactions, '{}')::text from unnest($2::uuid[], $3::uuid[]) as wanted (channel_id, id)
join messages_shown m on m.app_id = $1 and m.channel_id = wanted.channel_id and m.id = wanted.id and m.deleted_at is null
