-- Makes :messages messages of one application in 1,000 channels, over the last thirty days, and their search index.
-- Written past chatd for speed; the rows are as chatd writes them. Words are drawn from 50,000 by Zipf's law: word1 stands in
-- more than half of the messages, word50000 in few. `everywhere` is a member of all channels, `somewhere` of ten.
-- psql variables: app, messages.
set session_replication_role = replica;          -- the foreign keys hold: everything is looked up here
select setseed(0.5);
create temporary table bench_channels as
select n, (overlay(gen_random_uuid()::text placing substr(uuid7_floor(now() - interval '31 days')::text, 1, 15) from 1 for 15))::uuid as id
from generate_series(0, 999) n;
create temporary table bench_users as
select row_number() over (order by user_id) - 1 as n, id, user_id from users where app_id = :'app' and user_id like 'writer%';

insert into channels (app_id, id, type, channel_id, name, created_at, updated_at)
select :'app', id, 'messaging', 'search-' || n, 'channel ' || n, now() - interval '31 days', now() from bench_channels;
insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)
select :'app', c.id, u.id, 'member', 0, now(), now() from bench_channels c, users u
where u.app_id = :'app' and (u.user_id = 'everywhere' or (u.user_id = 'somewhere' and c.n % 100 = 7));

create temporary table bench_messages as
select m.n, c.id as channel_id, u.id as user_id, at,
  overlay(gen_random_uuid()::text placing substr(uuid7_floor(at)::text, 1, 15) from 1 for 15)::uuid as id,
  (select string_agg('word' || floor(exp(random() * ln(50001)))::integer, ' ') from generate_series(1, 8 + m.n % 9)) as text
from (select n, now() - interval '30 days' * (1 - n::float8 / :messages) as at, (random() * 1000)::integer % 1000 as channel
      from generate_series(1, :messages) n) m
join bench_channels c on c.n = m.channel
join bench_users u on u.n = m.n % (select count(*) from bench_users);
insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, created_at)
select :'app', channel_id, id, number, number, user_id, 'regular', text, at
from (select *, row_number() over (partition by channel_id order by id) as number from bench_messages) numbered;
insert into channel_heads (app_id, channel_id, epoch, last_seq, last_message_seq, last_message_id, last_message_at, member_count)
select :'app', channel_id, 'bench', count(*), count(*), (array_agg(id order by id desc))[1], max(at), 1 from bench_messages group by channel_id;

drop index search_index_by_words;
insert into search_index (app_id, channel_id, id, version, words)
select m.app_id, m.channel_id, m.id, 0, words_of_message('simple', m) from messages m where m.app_id = :'app'
on conflict do nothing;
create index search_index_by_words on search_index using gin (app_id, words) with (gin_pending_list_limit = 128) where words is not null;
