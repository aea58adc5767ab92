-- The function as it was.
create or replace function sweep_message_nonces(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from message_nonces where ctid = any (array(
    select n.ctid from message_nonces n
    where n.created_at < now() - interval '7 days'
      and case when n.nonce ~ '^campaign/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then not exists (
        select from campaign_recipients r
        where r.app_id = n.app_id and r.campaign_id = split_part(n.nonce, '/', 2)::uuid and r.target_id = split_part(n.nonce, '/', 3)::uuid
          and r.state = 'waiting') else true end
    limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
