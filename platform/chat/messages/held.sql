-- name: is_on_probation
-- $1 app  $2 channel  $3 user  $4 now.  As send.sql judges it.
select coalesce(greatest(u.held_until, m.held_until, case when m.user_id is null then (
    select s.probation_until from moderation_standings s
    where s.app_id = $1 and s.user_id = $3 and s.channel_id = $2 and s.probation_until > $4 and coalesce(
      (select (g.settings ->> 'probation_holds')::boolean from moderation_settings g where g.app_id = $1), true)) end) > $4, false)
from users u left join channel_members m on m.app_id = $1 and m.channel_id = $2 and m.user_id = $3
where u.app_id = $1 and u.id = $3
