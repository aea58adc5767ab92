-- Full text search over messages: the index, the queue that feeds it, and the function that asks it.
-- Locks: messages, exclusively for a moment (a trigger). Time on 10 million rows: under a second; they are indexed by the job.
create extension if not exists btree_gin;      -- app_id inside the GIN index

-- What a message can be found by. Not a column of messages: the send writes nothing here (ops/decisions/0015).
-- `words` also holds tags, which no text can produce: @c:channel @u:author @m:mentioned user_id @t:attachment type @a (has any).
-- null: nothing to find (deleted, erased, or waiting to be indexed anew).
create table search_index (
  app_id uuid not null,
  channel_id uuid not null,
  id uuid not null,
  version integer not null,                    -- how often the message changed; an older state never overwrites a newer one
  words tsvector,
  primary key (app_id, channel_id, id),        -- newest first in one channel
  foreign key (app_id, channel_id) references channels (app_id, id)
);
create index search_index_by_time on search_index (app_id, id);                    -- newest first in the application
create index search_index_by_words on search_index using gin (app_id, words)      -- what is said rarely
  with (gin_pending_list_limit = 1024) where words is not null;
select make_tenant_table('search_index');

-- What the job has to index: a row for each transaction that sent, with references only.
create table search_queue (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  channels uuid[] not null,                    -- as many as messages
  messages uuid[] not null,
  primary key (app_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
select make_tenant_table('search_queue');

-- The language that an application's index is in, and how far a job is with making it so.
create table search_states (
  app_id uuid not null references applications (app_id),
  language text not null,
  complete boolean not null default false,
  channel_id uuid,                             -- the channel that is being queued; null: none yet
  after_message uuid not null default '00000000-0000-0000-0000-000000000000',
  primary key (app_id)
);
select make_tenant_table('search_states');

-- Content that changes or goes leaves the index in the same transaction, whoever changes it; what is left is queued anew.
create function follow_message_in_search() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from search_index where app_id = old.app_id and channel_id = old.channel_id and id = old.id;
    return null;
  end if;
  insert into search_index (app_id, channel_id, id, version, words)
  values (new.app_id, new.channel_id, new.id, 1, null)
  on conflict (app_id, channel_id, id) do update set version = search_index.version + 1, words = null;
  if new.deleted_at is null and not new.erased then
    insert into search_queue (app_id, id, channels, messages)
    values (new.app_id, gen_random_uuid(), array[new.channel_id], array[new.id]);
  end if;
  return null;
end $$;
create trigger follow_message_in_search after update of text, attachments, mentions, deleted_at, erased on messages
for each row when (old.text is distinct from new.text or old.attachments is distinct from new.attachments
  or old.mentions is distinct from new.mentions or old.deleted_at is distinct from new.deleted_at
  or old.erased is distinct from new.erased)
execute function follow_message_in_search();
create trigger forget_message_in_search after delete on messages
for each row execute function follow_message_in_search();

-- What a message can be found by.
create function words_of_message(language text, m messages) returns tsvector
language sql stable as $$
  select to_tsvector(language::regconfig, m.text) || array_to_tsvector(
    array['@c:' || m.channel_id, '@u:' || m.user_id]
    || array(select '@m:' || u from jsonb_array_elements_text(coalesce(m.mentions, '[]')) u)
    || case when jsonb_array_length(coalesce(m.attachments, '[]')) > 0 then array['@a'] else '{}' end
    || array(select '@t:' || left(a ->> 'type', 64) from jsonb_array_elements(coalesce(m.attachments, '[]')) a
             where a ->> 'type' is not null))
$$;

-- Reason to cross tenants: one job indexes what was sent in all applications. Takes rows of the queue, at most max_batches, and
-- indexes their messages as they are now. Safe beside itself. Returns the rows taken; 0: nothing waits.
create function index_messages(max_batches integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  taken integer;
begin
  with batches as (
    delete from search_queue where ctid = any (array(select ctid from search_queue limit max_batches for update skip locked))
    returning app_id, channels, messages
  ), wanted as (
    select distinct b.app_id, r.channel_id, r.id from batches b, unnest(b.channels, b.messages) r (channel_id, id)
  ), indexed as (
    insert into search_index (app_id, channel_id, id, version, words)
    select m.app_id, m.channel_id, m.id, coalesce(i.version, 0),
      words_of_message(coalesce(a.settings ->> 'search_language', 'simple'), m)
    from wanted w
    join messages m on m.app_id = w.app_id and m.channel_id = w.channel_id and m.id = w.id
    join applications a on a.app_id = w.app_id and coalesce(a.settings ->> 'search_language', 'simple') <> 'off'
    left join search_index i on i.app_id = w.app_id and i.channel_id = w.channel_id and i.id = w.id
    where m.type <> 'system' and m.seq > 0 and m.deleted_at is null and not m.erased   -- 0: written in the shadow of a ban
    order by m.app_id, m.channel_id, m.id
    on conflict (app_id, channel_id, id) do update set words = excluded.words where search_index.version = excluded.version
  )
  select count(*) into taken from batches;
  return taken;
end $$;
revoke execute on function index_messages(integer) from public;
grant execute on function index_messages(integer) to chat_server;

-- Reason to cross tenants: one job brings the index of every application into the language that its settings say. One call
-- looks at max_rows messages of one channel, and stops while as many wait to be indexed. Returns the steps done; 0: all are.
create function rebuild_search(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  state search_states;
  slice uuid[];
begin
  insert into search_states (app_id, language)
  select a.app_id, coalesce(a.settings ->> 'search_language', 'simple') from applications a
  left join search_states s on s.app_id = a.app_id
  where a.status <> 'deleted' and s.language is distinct from coalesce(a.settings ->> 'search_language', 'simple')
  limit 100
  on conflict (app_id) do update set language = excluded.language, complete = false, channel_id = null,
    after_message = excluded.after_message;
  if (select count(*) from (select from search_queue limit 1000) q) = 1000 then return 0; end if;
  select * into state from search_states where not complete order by app_id limit 1 for update skip locked;
  if not found then return 0; end if;
  if state.language = 'off' then
    delete from search_index where ctid = any (array(select ctid from search_index where app_id = state.app_id limit max_rows))
      and app_id = state.app_id;
    if not found then update search_states set complete = true where app_id = state.app_id; end if;
    return 1;
  end if;
  slice := array(select id from messages
                 where app_id = state.app_id and channel_id = state.channel_id and id > state.after_message
                 order by id limit max_rows);
  if cardinality(slice) = 0 then
    update search_states set after_message = default, channel_id = (
      select c.id from channels c
      where c.app_id = state.app_id and (state.channel_id is null or c.id > state.channel_id) and c.deleted_at is null
      order by c.id limit 1)
    where app_id = state.app_id
    returning * into state;
    if state.channel_id is null then update search_states set complete = true where app_id = state.app_id; end if;
    return 1;
  end if;
  insert into search_queue (app_id, id, channels, messages)
  select state.app_id, gen_random_uuid(), array_agg(state.channel_id), array_agg(s.id)
  from unnest(slice) with ordinality s (id, n) group by n / 256;
  update search_states set after_message = slice[cardinality(slice)] where app_id = state.app_id;
  return 1;
end $$;
revoke execute on function rebuild_search(integer) from public;
grant execute on function rebuild_search(integer) to chat_server;

-- Reason to run as the owner: `@@` is not leakproof, so under row-level security PostgreSQL would judge the policy of every row
-- before it, and never use the index. The tenant is an argument, and must be the one that the transaction acts for.
-- Newest first, ids between above and below (both exclusive). channels null: all; floors: per channel, nothing at or below it.
-- First the newest 10,000 messages one by one: what is said often is found there. Fewer than `enough`: all by the GIN index,
-- which then has little to gather. So both have a bound, whatever the words (ops/decisions/0015).
create function search_messages(app uuid, channels uuid[], floors uuid[], asked tsquery, above uuid, below uuid, wanted integer,
                                enough integer)
returns table (channel_id uuid, id uuid, rank real)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  single uuid := case when cardinality(channels) = 1 then channels[1] end;
  narrowed tsquery := asked;
  near_channels uuid[];
  near_ids uuid[];
  near_ranks real[];
begin
  if app is distinct from nullif(current_setting('chat.app_id', true), '')::uuid then
    raise exception using errcode = 'CH403', message = 'This transaction acts for another application.';
  end if;
  if cardinality(channels) = 0 then return; end if;
  select array_agg(n.channel_id), array_agg(n.id), array_agg(ts_rank(n.words, asked, 1)) into near_channels, near_ids, near_ranks from (
    select * from (
      select i.channel_id, i.id, i.words from search_index i
      where i.app_id = app and (single is null or i.channel_id = single) and i.id < below and i.id > above
      order by i.id desc limit 10000) i
    where i.words @@ asked and (channels is null or i.channel_id = any (channels))
      and (floors is null or i.id > floors[array_position(channels, i.channel_id)])
    order by i.id desc limit wanted) n;
  if cardinality(near_ids) >= enough then
    return query select * from unnest(near_channels, near_ids, near_ranks);
    return;
  end if;

  if cardinality(channels) <= 32 then
    narrowed := asked && (select string_agg('''@c:' || c || '''', '|')::tsquery from unnest(channels) c);
  end if;
  return query
    with gathered as materialized (
      select i.channel_id, i.id, i.words from search_index i where i.app_id = app and i.words @@ narrowed and i.id < below and i.id > above
    )
    select g.channel_id, g.id, ts_rank(g.words, asked, 1) from (
      select * from gathered i
      where (channels is null or i.channel_id = any (channels))
        and (floors is null or i.id > floors[array_position(channels, i.channel_id)])
      order by i.id desc limit wanted) g
    order by g.id desc;
end $$;
revoke execute on function search_messages(uuid, uuid[], uuid[], tsquery, uuid, uuid, integer, integer) from public;
grant execute on function search_messages(uuid, uuid[], uuid[], tsquery, uuid, uuid, integer, integer) to chat_server;

-- Channels by the words of their name; serves search_channels.
create index channels_by_words on channels using gin (app_id, to_tsvector('simple', name)) where deleted_at is null and name is not null;

-- Reason to run as the owner: as search_messages. `member` null: all channels; else those that this user belongs to or that are open.
create function search_channels(app uuid, member uuid, asked tsquery, after_name text, after_id uuid, wanted integer)
returns table (id uuid, type text, channel_id text, name text)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  if app is distinct from nullif(current_setting('chat.app_id', true), '')::uuid then
    raise exception using errcode = 'CH403', message = 'This transaction acts for another application.';
  end if;
  return query
    select c.id, c.type, c.channel_id, lower(c.name) from channels c
    where c.app_id = app and c.deleted_at is null and c.name is not null and to_tsvector('simple', c.name) @@ asked
      and (member is null
        or exists (select from channel_members m where m.app_id = app and m.channel_id = c.id and m.user_id = member)
        or exists (select from channel_types t where t.app_id = app and t.type = c.type and t.settings @> '{"open": true}'))
      and (after_name is null or (lower(c.name), c.id) > (after_name, after_id))
    order by lower(c.name), c.id limit wanted;
end $$;
revoke execute on function search_channels(uuid, uuid, tsquery, text, uuid, integer) from public;
grant execute on function search_channels(uuid, uuid, tsquery, text, uuid, integer) to chat_server;
