-- Plans (shared by all) and applications with their secrets and revocations.
-- Locks: none (new tables). Time on 10 million rows: none.

-- Shared: a plan belongs to the operator. `document` is the whole plan as the API shows it.
create table plans (
  plan_id text primary key check (plan_id ~ '^[a-z0-9_-]{1,64}$'),
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
grant select, insert, update, delete on plans to chat_server;

create table applications (
  app_id uuid primary key,
  name text not null check (octet_length(name) between 1 and 255),
  status text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
  status_reason text,
  plan_id text not null references plans (plan_id),
  settings jsonb not null default '{}',
  limits jsonb not null default '{}',          -- overrides of the plan's limits, by meter
  revoked_before timestamptz,                  -- user tokens issued before are dead
  created_at timestamptz not null,
  updated_at timestamptz not null,
  purged_at timestamptz
);
select make_tenant_table('applications');

-- Signing secrets, sealed with the operator's master key. Several may be valid at once.
create table application_secrets (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  primary key (app_id, id)
);
select make_tenant_table('application_secrets');

-- Tokens of one user issued before a moment are dead; all tokens of a deactivated one are. Loaded into memory with the
-- application, so that connecting asks no database; bounded by kMaxRevocations of application.h.
create table user_revocations (
  app_id uuid not null references applications (app_id),
  user_id text not null,
  revoked_before timestamptz not null,
  deactivated boolean not null default false,
  primary key (app_id, user_id)
);
select make_tenant_table('user_revocations');

-- Reason to cross tenants: the operator lists its applications; jobs walk them. Always paged.
create function list_applications(after uuid, wanted_status text, max_rows integer) returns setof applications
language sql stable security definer set search_path = public, pg_temp as $$
  select * from applications
  where (after is null or app_id > after) and (wanted_status is null or status = wanted_status)
  order by app_id
  limit least(max_rows, 1000)
$$;
revoke execute on function list_applications(uuid, text, integer) from public;
grant execute on function list_applications(uuid, text, integer) to chat_server;

-- Reason to cross tenants: the operator may say an application's name instead of its id. Two rows: the name is not unique.
create function find_applications_by_name(wanted text) returns table (app_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select a.app_id from applications a where a.name = wanted and a.status <> 'deleted' order by a.app_id limit 2
$$;
revoke execute on function find_applications_by_name(text) from public;
grant execute on function find_applications_by_name(text) to chat_server;

-- Reason to cross tenants: a plan in use must not go, and only the operator's side knows who uses it.
create function count_applications_on_plan(wanted text) returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
  select count(*) from applications where plan_id = wanted and status <> 'deleted'
$$;
revoke execute on function count_applications_on_plan(text) from public;
grant execute on function count_applications_on_plan(text) to chat_server;
