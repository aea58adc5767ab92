-- Messages that wait for approval. Locks: none (new table). Time on 10 million rows: none.

create table pending_messages (
  app_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  user_id uuid not null,
  message jsonb not null,                      -- what POST …/messages takes
  nonce text,
  nonce_key text,                              -- what makes a repeated send find this one; null: none
  fingerprint text not null,                   -- of the content, as message_nonces
  status text not null check (status in ('pending', 'approved', 'rejected', 'failed')),
  decided_by uuid,                             -- null: a server, or nobody in time
  reason text,
  claimed_until timestamptz,                   -- being sent by some node until then; after that another may try
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,             -- undecided: rejected then; rejected: forgotten
  primary key (app_id, id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create unique index pending_messages_by_nonce on pending_messages (app_id, user_id, channel_id, nonce_key) where nonce_key is not null;
create index pending_messages_by_user on pending_messages (app_id, user_id, id);                              -- lists, erasure
create index pending_messages_by_channel on pending_messages (app_id, channel_id, id);                        -- lists, purge
create index pending_messages_approved on pending_messages (app_id, updated_at) where status = 'approved';    -- the job
create index pending_messages_to_expire on pending_messages (app_id, expires_at) where status <> 'approved';  -- the job
select make_tenant_table('pending_messages');

-- A message that waits for approval holds its files meanwhile.
create function keep_pending_upload_uses() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from upload_uses where app_id = old.app_id and channel_id = old.channel_id and message_id = old.id;
  else
    perform hold_uploads(new.app_id, new.channel_id, new.id, new.message -> 'attachments', null);
  end if;
  return null;
end $$;
create trigger keep_upload_uses after insert or delete on pending_messages
for each row execute function keep_pending_upload_uses();

-- Reason to cross tenants: one job finds what is approved, of all applications, and claims it for a while, so that two nodes do not
-- work at the same.
create function claim_approved_messages(due_until timestamptz, lease interval, max_rows integer)
returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  update pending_messages p set claimed_until = due_until + lease
  where p.status = 'approved' and (p.app_id, p.id) in (
    select d.app_id, d.id from pending_messages d
    where d.status = 'approved' and (d.claimed_until is null or d.claimed_until <= due_until)
    limit max_rows for update skip locked)
  returning p.app_id, p.id
$$;
revoke execute on function claim_approved_messages(timestamptz, interval, integer) from public;
grant execute on function claim_approved_messages(timestamptz, interval, integer) to chat_server;

-- Reason to cross tenants: one job finds what nobody decided in time, in all applications. It rejects each in its own application.
create function undecided_messages(due_until timestamptz, max_rows integer)
returns table (app_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.app_id, p.id from pending_messages p where p.status in ('pending', 'failed') and p.expires_at <= due_until limit max_rows
$$;
revoke execute on function undecided_messages(timestamptz, integer) from public;
grant execute on function undecided_messages(timestamptz, integer) to chat_server;

-- Reason to cross tenants: one job forgets what was rejected long ago, in slices, whose it was.
create function sweep_rejected_messages(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  swept integer;
begin
  delete from pending_messages where ctid = any (array(
    select ctid from pending_messages where status = 'rejected' and expires_at <= now() limit max_rows));
  get diagnostics swept = row_count;
  return swept;
end $$;
revoke execute on function sweep_rejected_messages(integer) from public;
grant execute on function sweep_rejected_messages(integer) to chat_server;
