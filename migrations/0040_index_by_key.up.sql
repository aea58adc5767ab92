-- Indexing looks each message up by its key, whatever the planner knows of the tables.
-- Locks: none. Time on 10 million rows: none.
-- Reason to cross tenants: one job indexes what was sent in all applications. Takes rows of the queue, at most max_batches, and
-- indexes their messages as they are now. Safe beside itself. `offset 0` keeps the planner from joining: before the tables' first
-- statistics it took a walk through the whole channel for every message. Returns the rows taken; 0: nothing waits.
create or replace function index_messages(max_batches integer) returns integer
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
    select w.app_id, w.channel_id, w.id, coalesce(i.version, 0), words_of_message(a.language, m.message)
    from wanted w
    cross join lateral (select coalesce(a.settings ->> 'search_language', 'simple') as language
                        from applications a where a.app_id = w.app_id offset 0) a
    cross join lateral (select c.truncated_message_id from channels c where c.app_id = w.app_id and c.id = w.channel_id offset 0) c
    cross join lateral (select m as message, m.type, m.seq, m.deleted_at, m.erased
                        from messages m where m.app_id = w.app_id and m.channel_id = w.channel_id and m.id = w.id offset 0) m
    left join lateral (select i.version from search_index i
                       where i.app_id = w.app_id and i.channel_id = w.channel_id and i.id = w.id offset 0) i on true
    where a.language <> 'off' and (c.truncated_message_id is null or w.id > c.truncated_message_id)
      and m.type <> 'system' and m.seq > 0 and m.deleted_at is null and not m.erased   -- 0: written in the shadow of a ban
    order by w.app_id, w.channel_id, w.id
    on conflict (app_id, channel_id, id) do update set words = excluded.words where search_index.version = excluded.version
  )
  select count(*) into taken from batches;
  return taken;
end $$;
