-- name: who_must_not_hear
-- $1 app  $2 user  $3 channel  $4 whether others than members may hear it.  One row: whether the user is in the shadow of a ban, and
-- the users to whom a block stands from either side.
select coalesce((select bool_or(b.shadow) from bans_in_force b
                 where b.app_id = $1 and b.user_id = $2 and (b.channel_id = $3 or b.channel_id is null)), false),
  array(select u.user_id
        from (select blocked_id as id from user_blocks where app_id = $1 and user_id = $2
              union select user_id from user_blocks where app_id = $1 and blocked_id = $2) apart
        join users u on u.app_id = $1 and u.id = apart.id
        where $4 or exists (select from channel_members m where m.app_id = $1 and m.channel_id = $3 and m.user_id = apart.id))::text
