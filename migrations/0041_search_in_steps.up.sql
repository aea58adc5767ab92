-- A search for what is said rarely looks at the newest 2,000 messages before it asks the index, not at 10,000.
-- Locks: none. Time on 10 million rows: none.
-- Reason to run as the owner: `@@` is not leakproof, so under row-level security PostgreSQL would judge the policy of every row
-- before it, and never use the index. The tenant is an argument, and must be the one that the transaction acts for.
-- Newest first, ids between above and below (both exclusive). channels null: all; floors: per channel, nothing at or below it.
-- First the newest 2,000 messages one by one, then the newest 10,000 if those promise `enough`: what is said often is found there.
-- Else all by the GIN index, which then has little to gather. So both have a bound, whatever the words (ops/decisions/0015).
create or replace function search_messages(app uuid, channels uuid[], floors uuid[], asked tsquery, above uuid, below uuid, wanted integer,
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
