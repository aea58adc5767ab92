-- The planner learns of tables that grew before autovacuum's next round (a minute by default): until then a new house plans as if every table
-- were empty, and plans that are kept (generic ones, those of foreign keys) stay as bad as they were made.
-- Locks: none (a function). Time on 10 million rows: none.

-- Reason to cross tenants: statistics are of tables, and only an owner may analyze. Analyzes the table that has most rows the planner does not
-- know of, once it has several times what it knows. Returns its name; NULL: there is none, or another node is at it.
create function analyze_grown_table() returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  grown regclass;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('analyze_grown_table', 0)) then return null; end if;
  select s.relid into grown from pg_stat_user_tables s join pg_class c on c.oid = s.relid
  where s.schemaname = 'public' and c.relkind = 'r' and pg_get_userbyid(c.relowner) = current_user and s.n_live_tup > greatest(500, 4 * c.reltuples)
  order by s.n_live_tup desc limit 1;
  if grown is not null then execute format('analyze (skip_locked) %s', grown); end if;
  return grown::text;
end $$;
revoke execute on function analyze_grown_table() from public;
grant execute on function analyze_grown_table() to chat_server;
