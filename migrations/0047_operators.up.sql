-- The people and programs that run the service, and everything they changed, in a chain that shows tampering.
-- Locks: none (new tables). Time on 10 million rows: none.

-- A token is 256 random bits, so its plain hash is enough. A revoked operator keeps its row: the audit names it.
create table operators (
  id uuid primary key,
  name text not null check (name ~ '^[A-Za-z0-9_.@-]{1,64}$'),
  role text not null check (role in ('viewer', 'operator', 'owner')),
  token_hash bytea not null unique,
  created_by text not null,
  created_at timestamptz not null,
  last_used_at timestamptz,                    -- to the minute
  revoked_at timestamptz
);
create unique index operators_by_name on operators (name) where revoked_at is null;
grant select, insert, update on operators to chat_server;

-- `before` and `after` are JSON, kept as text so that their bytes stay as they were hashed. Secrets are never in them.
create table operator_audit (
  seq bigint primary key,
  at timestamptz not null,
  operator text not null,
  role text not null,
  action text not null,                        -- application.suspend
  object text not null,                        -- application:app_…, plan:free
  before text,
  after text,
  address text not null,                       -- whence: the peer's
  request_id text not null,
  previous bytea not null,                     -- hash of the row before; empty for the first
  hash bytea not null
);
create index operator_audit_by_object on operator_audit (object, seq);
create index operator_audit_by_operator on operator_audit (operator, seq);
grant select, insert on operator_audit to chat_server;

-- The end of the chain. Whoever adds holds it, so that two nodes writing at once make one chain.
create table operator_audit_head (
  one boolean primary key default true check (one),
  seq bigint not null,
  hash bytea not null
);
insert into operator_audit_head (seq, hash) values (0, '');
grant select on operator_audit_head to chat_server;

-- What is hashed of a row: each field with its length before it, so that no two rows read alike. "-" is null.
create function operator_audit_text(entry operator_audit) returns text
language sql immutable as $$
  select string_agg(case when f.value is null then '-' else octet_length(f.value) || ':' || f.value end, '' order by f.place)
  from unnest(array[entry.seq::text, ((extract(epoch from entry.at) * 1000000)::bigint)::text, entry.operator, entry.role,
                    entry.action, entry.object, entry.before, entry.after, entry.address, entry.request_id])
       with ordinality as f (value, place)
$$;

-- Reason to be SECURITY DEFINER: the server's role may add rows, but not say where in the chain. Numbers and links a new one.
create function chain_operator_audit() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  head operator_audit_head;
begin
  select * into head from operator_audit_head for update;
  new.seq := head.seq + 1;
  new.previous := head.hash;
  new.hash := sha256(new.previous || convert_to(operator_audit_text(new), 'UTF8'));
  update operator_audit_head set seq = new.seq, hash = new.hash;
  return new;
end $$;
revoke execute on function chain_operator_audit() from public;
create trigger chain_operator_audit before insert on operator_audit for each row execute function chain_operator_audit();

-- What is written stays, for the owner too.
create function keep_operator_audit() returns trigger
language plpgsql as $$
begin
  raise exception 'The audit of operators can only be added to.' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_operator_audit before update or delete or truncate on operator_audit
for each statement execute function keep_operator_audit();
