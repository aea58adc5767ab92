-- Long work and what comes out of it. Locks: none (new tables). Time on 10 million rows: none.

create table tasks (
  app_id uuid not null references applications (app_id),
  id uuid not null,
  type text not null,
  owner text not null,                         -- user_id of the user who may ask for it; '': servers alone
  status text not null default 'waiting' check (status in ('waiting', 'running', 'done', 'failed')),
  input jsonb not null,
  state text,                                  -- what the last slice left for the next one
  items bigint not null default 0,
  parts bigint not null default 0,
  error text,
  worker uuid,                                 -- token of who works on it
  lease_until timestamptz,                     -- running: until then it is that worker's; waiting: not before
  attempts integer not null default 0,         -- since a slice was last kept
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  expires_at timestamptz,
  primary key (app_id, id)
);
create index tasks_unfinished on tasks (app_id, updated_at) where status in ('waiting', 'running');
create index tasks_expiring on tasks (app_id, expires_at) where expires_at is not null;
select make_tenant_table('tasks');

create table task_parts (
  app_id uuid not null,
  task_id uuid not null,
  part bigint not null,
  body text not null,                          -- newline-delimited JSON
  primary key (app_id, task_id, part),
  foreign key (app_id, task_id) references tasks (app_id, id)
);
select make_tenant_table('task_parts');

-- Reason to cross tenants: workers take the tasks of all applications in turn, the one that has waited longest first.
create function claim_task(known_types text[], token uuid, lease_seconds integer)
returns table (app_id uuid, id uuid, type text, attempts integer)
language sql security definer set search_path = public, pg_temp as $$
  update tasks t set status = 'running', worker = token, attempts = t.attempts + 1, lease_until = now() + make_interval(secs => lease_seconds)
  from (select w.app_id, w.id from tasks w join applications a on a.app_id = w.app_id and a.status <> 'deleted'
        where w.status in ('waiting', 'running') and (w.lease_until is null or w.lease_until <= now()) and w.type = any (known_types)
        order by w.updated_at limit 1 for update of w skip locked) next
  where t.app_id = next.app_id and t.id = next.id
  returning t.app_id, t.id, t.type, t.attempts
$$;
revoke execute on function claim_task(text[], uuid, integer) from public;
grant execute on function claim_task(text[], uuid, integer) to chat_server;

-- Reason to cross tenants: one job forgets the old output of all applications, a task at a time.
create function sweep_tasks(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  victim record;
  removed integer;
begin
  select app_id, id into victim from tasks where expires_at < now() limit 1 for update skip locked;
  if not found then return 0; end if;
  delete from task_parts where ctid = any (array(
    select ctid from task_parts p where p.app_id = victim.app_id and p.task_id = victim.id limit max_rows))
    and app_id = victim.app_id and task_id = victim.id;
  get diagnostics removed = row_count;
  if removed < max_rows then
    delete from tasks where app_id = victim.app_id and id = victim.id;
    removed := removed + 1;
  end if;
  return removed;
end $$;
revoke execute on function sweep_tasks(integer) from public;
grant execute on function sweep_tasks(integer) to chat_server;
