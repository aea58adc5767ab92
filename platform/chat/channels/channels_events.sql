-- name: take_numbers
-- $1 app  $2 channel  $3 how many.  The last one taken.
update channel_heads set last_seq = last_seq + $3 where app_id = $1 and channel_id = $2 returning last_seq, epoch

-- name: insert_events
-- $1 app  $2 channels[]  $3 seqs[]  $4 ids[]  $5 types[]  $6 messages[]  $7 datas[]  $8 now
-- The outbox gets a reference each, when a webhook endpoint wants such events.
with kept as (
  insert into channel_events (app_id, channel_id, seq, id, type, message_id, data, created_at)
  select $1, e.channel_id, e.seq, e.id, e.type, e.message_id, e.data::jsonb, $8
  from unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::uuid[], $7::text[]) as e (channel_id, seq, id, type, message_id, data)
  returning channel_id, seq, id, type, message_id)
insert into outbox (app_id, id, type, channel_id, seq, message_id, created_at)
select $1, kept.id, kept.type, kept.channel_id, kept.seq, kept.message_id, $8 from kept
where exists (select 1 from applications a where a.app_id = $1 and a.webhooks <> '{}' and wants_event(a.webhooks, kept.type))
