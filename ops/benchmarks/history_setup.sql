-- Fills one channel with :messages messages of :user, evenly over last month and this one until now, and sets its head.
-- Written past chatd for speed (a million sends would take minutes); the rows are as chatd writes them.
-- psql variables: app, channel, user, messages.
set session_replication_role = replica;          -- the foreign keys hold: one channel, one author, both looked up here
select c.id as channel_uuid, u.id as user_uuid,
       extract(epoch from date_trunc('month', now() at time zone 'UTC') - interval '1 month') as first_second,
       extract(epoch from now()) as last_second
from channels c, users u
where c.app_id = :'app' and c.type = 'messaging' and c.channel_id = :'channel' and u.app_id = :'app' and u.user_id = :'user' \gset

insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, created_at)
select :'app', :'channel_uuid', overlay(gen_random_uuid()::text placing substr(floor7, 1, 15) from 1 for 15)::uuid, n, n,
       :'user_uuid', 'regular', 'message number ' || n || repeat(' and so on', 8), at
from (select n, at, uuid7_floor(at)::text as floor7
      from generate_series(1, :messages) n,
           lateral (select to_timestamp(:first_second + (:last_second - :first_second) * n / :messages) as at) placed) numbered;

update channel_heads h
set last_seq = :messages, last_message_seq = :messages, last_message_id = newest.id, last_message_at = newest.created_at
from (select id, created_at from messages where app_id = :'app' and channel_id = :'channel_uuid' order by id desc limit 1) newest
where h.app_id = :'app' and h.channel_id = :'channel_uuid';
