-- The customer's own server is asked before a user's message is stored.
-- Locks: none (new table). Time on 10 million rows: none.

create table before_hooks (
  app_id uuid not null references applications (app_id),
  url text not null,
  timeout_ms integer not null default 1500 check (timeout_ms between 100 and 5000),
  on_failure text not null check (on_failure in ('allow', 'reject', 'hold')),
  channel_types text[] not null,               -- empty: all
  sealed bytea not null,                       -- the key that signs
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id)
);
select make_tenant_table('before_hooks');
