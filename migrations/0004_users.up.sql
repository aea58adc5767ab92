-- The customers' end users. Locks: none (new table). Time on 10 million rows: none.
create table users (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  user_id text not null check (octet_length(user_id) between 1 and 255),   -- the customer's own id
  name text,
  image text,
  role text not null default 'user' check (role in ('user', 'moderator', 'admin')),
  custom jsonb not null default '{}',
  deactivated_at timestamptz,
  deleted_at timestamptz,
  last_active_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, id),
  unique (app_id, user_id)
);
create index users_by_name on users (app_id, name, id);          -- users.query_users sorted by name
create index users_by_update on users (app_id, updated_at, id);  -- users.query_users sorted by updated_at
select make_tenant_table('users');
