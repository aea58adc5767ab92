-- Slash commands. Locks: none (new table). Time on 10 million rows: none.

create table commands (
  app_id uuid not null references applications (app_id),
  name text not null,
  description text not null,
  args text not null,
  visible boolean not null,                    -- the message that invokes it is sent
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, name)
);
select make_tenant_table('commands');
