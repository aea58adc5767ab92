drop function search_messages(uuid, uuid[], uuid[], tsquery, uuid, uuid, integer, integer, uuid);
-- Reason to run as the owner: `@@` is not leakproof, so under row-level security PostgreSQL would judge the policy of every row
-- before it, and never use the index. The tenant is an argument, and must be the one that the transaction acts for.
-- Newest first, ids between above and below (both exclusive). channels null: all; floors: per channel, nothing at or below it.
-- First the newest 2,000 messages one by one, then the newest 10,000 if those promise `enough`: what is said often is found there.
-- Else all by the GIN index, which then has little to gather. So both have a bound, whatever the words (ops/decisions/0015).
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
  reach integer;
  found integer;
begin
  if app is distinct from nullif(current_setting('chat.app_id', true), '')::uuid then
    raise exception using errcode = 'CH403', message = 'This transaction acts for another application.';
  end if;
  if cardinality(channels) = 0 then return; end if;
  foreach reach in array array[2000, 10000] loop
    select array_agg(n.channel_id), array_agg(n.id), array_agg(ts_rank(n.words, asked, 1)) into near_channels, near_ids, near_ranks from (
      select * from (
        select i.channel_id, i.id, i.words from search_index i
        where i.app_id = app and (single is null or i.channel_id = single) and i.id < below and i.id > above
        order by i.id desc limit reach) i
      where i.words @@ asked and (channels is null or i.channel_id = any (channels))
        and (floors is null or i.id > floors[array_position(channels, i.channel_id)])
      order by i.id desc limit wanted) n;
    found := coalesce(cardinality(near_ids), 0);
    if found >= wanted or (found >= enough and reach = 10000) then
      return query select * from unnest(near_channels, near_ids, near_ranks);
      return;
    end if;
    exit when found * 5 < enough;
  end loop;

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

delete from search_index where words @@ '''@s''';
