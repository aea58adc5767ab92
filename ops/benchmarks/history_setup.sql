-- Makes one channel of :user with :messages messages, evenly over last month and this one until now.
-- Written past chatd for speed (a million sends would take minutes); the rows are as chatd writes them. The channel is as old
-- as its first message: chatd looks for nothing before a channel's own id.
-- psql variables: app, channel, user, messages.
set session_replication_role = replica;          -- the foreign keys hold: one channel, one author, both looked up here
select overlay(gen_random_uuid()::text placing substr(uuid7_floor(first_moment)::text, 1, 15) from 1 for 15) as channel_uuid,
       u.id as user_uuid, extract(epoch from first_moment) as first_second, extract(epoch from now()) as last_second
from users u, lateral (select (date_trunc('month', now() at time zone 'UTC') - interval '1 month') at time zone 'UTC' as first_moment) f
where u.app_id = :'app' and u.user_id = :'user' \gset

insert into channels (app_id, id, type, channel_id, created_by, created_at, updated_at)
values (:'app', :'channel_uuid', 'messaging', :'channel', :'user_uuid', to_timestamp(:first_second), to_timestamp(:first_second));
insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)
values (:'app', :'channel_uuid', :'user_uuid', 'owner', 0, to_timestamp(:first_second), to_timestamp(:first_second));

insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, created_at)
select :'app', :'channel_uuid', overlay(gen_random_uuid()::text placing substr(floor7, 1, 15) from 1 for 15)::uuid, n, n,
       :'user_uuid', 'regular', 'message number ' || n || repeat(' and so on', 8), at
from (select n, at, uuid7_floor(at)::text as floor7
      from generate_series(1, :messages) n,
           lateral (select to_timestamp(:first_second + (:last_second - :first_second) * n / :messages) as at) placed) numbered;

insert into channel_heads (app_id, channel_id, epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count)
select :'app', :'channel_uuid', 'bench', :messages, :messages, id, created_at, 1
from messages where app_id = :'app' and channel_id = :'channel_uuid' order by id desc limit 1;
