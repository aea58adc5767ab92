create or replace function sweep_usage_flushes(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from usage_flushes where ctid = any (array(
    select ctid from usage_flushes where flushed_at < now() - interval '7 days' limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
drop table usage_hours;
drop index usage_flushes_by_day;
alter table usage_flushes drop column counts, drop column day;
