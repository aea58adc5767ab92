-- name: find_expired
-- $1 today  $2 channels to look at.  Of one type of channels with retention: per channel that has something older its id, then one row
-- without (columns 4 and 5 NULL) that says how far it looked. No row: all types are done for today.
select app_id, type, days, up_to, complete, channel_id from find_expired_channels($1::date, $2)

-- name: keep_place
-- $1 app  $2 type  $3 today  $4 days  $5 the last channel that was looked at, or NULL  $6 no channel is left
insert into retention_sweeps (app_id, type, day, days, channel_id, complete) values ($1, $2, $3::date, $4, $5, $6)
on conflict (app_id, type) do update set day = excluded.day, days = excluded.days, channel_id = excluded.channel_id,
  complete = excluded.complete
