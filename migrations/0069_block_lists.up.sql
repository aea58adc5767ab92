-- Block lists. Locks: none (new tables). Time on 10 million rows: none.
-- Under the nil application stand the operator's lists, which every application may use.

create table block_lists (
  app_id uuid not null,
  list_id uuid not null,
  name text not null check (name ~ '^[a-z0-9_-]{1,64}$'),
  kind text not null check (kind in ('word', 'phrase', 'domain', 'email', 'ip', 'regex')),
  allows boolean not null,                     -- what it finds is free, whatever other lists say
  description text not null,
  folding jsonb not null,
  behaviour text not null check (behaviour in ('flag', 'mask', 'hold', 'shadow', 'block')),
  server_calls boolean not null,               -- what servers write is judged, too
  profiles boolean not null,                   -- so are names and descriptions of users and channels
  entry_count integer not null check (entry_count >= 0),
  version bigint not null,                     -- grows with every change
  mistake jsonb,                               -- why it is not in force as it stands; null: it is
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, list_id),
  unique (app_id, name)
);
select make_tenant_table('block_lists');

create table block_list_entries (
  app_id uuid not null,
  list_id uuid not null,
  entry text collate "C" not null check (octet_length(entry) between 1 and 255),
  expires_at timestamptz,
  created_at timestamptz not null,
  primary key (app_id, list_id, entry),
  foreign key (app_id, list_id) references block_lists (app_id, list_id) on delete cascade
);
create index block_list_entries_by_end on block_list_entries (app_id, expires_at) where expires_at is not null;   -- the sweep
select make_tenant_table('block_list_entries');

-- Where lists hold. A shared one is named shared:NAME.
create table block_list_uses (
  app_id uuid not null,
  list text not null,
  scope text not null,                         -- '': everywhere; a channel type; type:id of a channel
  behaviour text check (behaviour in ('flag', 'mask', 'hold', 'shadow', 'block')),   -- null: the list's
  server_calls boolean,                        -- null: the list's
  created_at timestamptz not null,
  primary key (app_id, list, scope)
);
select make_tenant_table('block_list_uses');

-- Grows with every change of an application's lists or of where they hold. No row: it never had any.
create table block_list_versions (
  app_id uuid not null,
  version bigint not null,
  primary key (app_id)
);
select make_tenant_table('block_list_versions');

-- Reason to cross tenants: the operator's lists are everybody's to see. Only their heads.
create function shared_block_lists() returns setof block_lists
language sql stable security definer set search_path = public, pg_temp as $$
  select * from block_lists where app_id = '00000000-0000-0000-0000-000000000000' order by name limit 200
$$;
revoke execute on function shared_block_lists() from public;
grant execute on function shared_block_lists() to chat_server;

-- Reason to cross tenants: a node asks once a second whether the lists that it holds, of many applications, are still those.
create function block_list_versions_of(apps uuid[]) returns table (app_id uuid, version bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select v.app_id, v.version from unnest(apps) a (app_id) join block_list_versions v on v.app_id = a.app_id
$$;
revoke execute on function block_list_versions_of(uuid[]) from public;
grant execute on function block_list_versions_of(uuid[]) to chat_server;

-- Reason to cross tenants: one job forgets entries of all applications whose time is over, in slices. They hold no longer from
-- their end on; nobody needs to hear of this. Goes from application to application along the index of ends.
create function sweep_block_list_entries(max_rows integer) returns integer
language sql security definer set search_path = public, pg_temp as $$
  with recursive applications_with as (
    (select e.app_id from block_list_entries e where e.expires_at is not null order by e.app_id limit 1)
    union all
    select (select e.app_id from block_list_entries e where e.expires_at is not null and e.app_id > a.app_id order by e.app_id limit 1)
    from applications_with a where a.app_id is not null
  ), over as materialized (
    select due.* from applications_with a
    cross join lateral (
      select e.app_id, e.list_id, e.entry from block_list_entries e
      where e.app_id = a.app_id and e.expires_at is not null and e.expires_at <= now()
      order by e.expires_at limit max_rows) due
    limit max_rows
  ), gone as (
    delete from block_list_entries e using over o
    where e.app_id = o.app_id and e.list_id = o.list_id and e.entry = o.entry
    returning e.app_id, e.list_id
  ), counted as (
    select app_id, list_id, count(*) as n from gone group by app_id, list_id
  ), less as (
    update block_lists l set entry_count = l.entry_count - c.n from counted c
    where l.app_id = c.app_id and l.list_id = c.list_id
  )
  select count(*)::integer from gone
$$;
revoke execute on function sweep_block_list_entries(integer) from public;
grant execute on function sweep_block_list_entries(integer) to chat_server;
