-- Link previews. Locks: none (new tables). Time on 10 million rows: none.

-- Messages that name links and wait for their previews; references only.
create table preview_queue (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  created_at timestamptz not null,
  claimed_until timestamptz,                   -- looked at by some node until then; after that another may
  primary key (app_id, channel_id, message_id),
  foreign key (app_id, channel_id) references channels (app_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
select make_tenant_table('preview_queue');

-- What pages said about themselves, for a while. Not the URL, which may hold a secret: its hash.
create table link_previews (
  app_id uuid not null references applications (app_id),
  url_hash bytea not null,                     -- SHA-256
  preview jsonb,                               -- null: nothing
  fetched_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (app_id, url_hash)
);
create index link_previews_to_sweep on link_previews (app_id, expires_at);
select make_tenant_table('link_previews');

-- Reason to cross tenants: one job looks at what waits in all applications, and claims it for a while, so that two nodes do not work
-- at the same. Each is finished in a transaction of its own application.
create function claim_previews(due_until timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, channel_id uuid, message_id uuid, created_at timestamptz)
language sql security definer set search_path = public, pg_temp as $$
  update preview_queue q set claimed_until = due_until + lease
  where (q.app_id, q.channel_id, q.message_id) in (
    select d.app_id, d.channel_id, d.message_id from preview_queue d
    where d.claimed_until is null or d.claimed_until <= due_until
    limit max_rows for update skip locked)
  returning q.app_id, q.channel_id, q.message_id, q.created_at
$$;
revoke execute on function claim_previews(timestamptz, interval, integer) from public;
grant execute on function claim_previews(timestamptz, interval, integer) to chat_server;

-- Reason to cross tenants: one job forgets what was kept too long, in slices, whose it was.
create function sweep_link_previews(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from link_previews where ctid = any (array(select ctid from link_previews where expires_at <= now() limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_link_previews(integer) from public;
grant execute on function sweep_link_previews(integer) to chat_server;
