-- name: find_recipients
-- $1 app  $2 channel  $3 user_ids[]  $4 whether the channel is open.  Rows: those who may read it, in the order given.
select r.user_id from unnest($3::text[]) with ordinality r (user_id, n)
join users u on u.app_id = $1 and u.user_id = r.user_id and u.deleted_at is null and u.deactivated_at is null
where ($4 or exists (select from channel_members m where m.app_id = $1 and m.channel_id = $2 and m.user_id = u.id))
  and not exists (select from bans_in_force b
                  where b.app_id = $1 and b.user_id = u.id and (b.channel_id = $2 or b.channel_id is null) and not b.shadow)
order by r.n
