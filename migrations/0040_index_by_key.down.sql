-- Reason to cross tenants: one job indexes what was sent in all applications. Takes rows of the queue, at most max_batches, and
-- indexes their messages as they are now. Safe beside itself. Returns the rows taken; 0: nothing waits.
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
    select m.app_id, m.channel_id, m.id, coalesce(i.version, 0),
      words_of_message(coalesce(a.settings ->> 'search_language', 'simple'), m)
    from wanted w
    join messages m on m.app_id = w.app_id and m.channel_id = w.channel_id and m.id = w.id
    join channels c on c.app_id = w.app_id and c.id = w.channel_id and (c.truncated_message_id is null or w.id > c.truncated_message_id)
    join applications a on a.app_id = w.app_id and coalesce(a.settings ->> 'search_language', 'simple') <> 'off'
    left join search_index i on i.app_id = w.app_id and i.channel_id = w.channel_id and i.id = w.id
    where m.type <> 'system' and m.seq > 0 and m.deleted_at is null and not m.erased   -- 0: written in the shadow of a ban
    order by m.app_id, m.channel_id, m.id
    on conflict (app_id, channel_id, id) do update set words = excluded.words where search_index.version = excluded.version
  )
  select count(*) into taken from batches;
  return taken;
end $$;
