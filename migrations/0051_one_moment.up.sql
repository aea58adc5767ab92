-- Exports show one moment: who is not active is left alone by the jobs that write, and what is under way does not travel.
-- Imports: one at a time of an application, tried again a few times at most, checked before anything is made for them, forgotten in slices.
-- Locks: imports and tasks for a moment. Time on 10 million rows: none but for the tasks of exports, of which few are kept.

-- What jobs may work for.
create function is_active(app uuid) returns boolean
language sql stable as $$ select exists (select from applications a where a.app_id = app and a.status = 'active') $$;

-- Jobs that tell, send or change something: an application that is suspended or on its way out stays as it is. What is due waits for the day
-- that it is active again. What only removes goes on; so does the settling of storage, but not under an export's hands.
do $$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('due_reminders', 'where b.app_id = a.app_id and b.remind_at', 'where b.app_id = a.app_id and is_active(b.app_id) and b.remind_at'),
      ('claim_scheduled_messages', 'where d.app_id = application and d.failed_code', 'where d.app_id = application and is_active(application) and d.failed_code'),
      ('changed_polls', 'where p.changed limit', 'where p.changed and is_active(p.app_id) limit'),
      ('due_polls', 'where p.app_id = a.app_id and p.closes_at', 'where p.app_id = a.app_id and is_active(p.app_id) and p.closes_at'),
      ('claim_approved_messages', 'where d.status = ''approved'' and (', 'where d.status = ''approved'' and is_active(d.app_id) and ('),
      ('undecided_messages', 'and p.expires_at <= due_until', 'and p.expires_at <= due_until and is_active(p.app_id)'),
      ('claim_previews', 'where d.claimed_until is null or d.claimed_until <= due_until', 'where is_active(d.app_id) and (d.claimed_until is null or d.claimed_until <= due_until)'),
      ('claim_push_queue', 'where d.app_id = application and d.created_at', 'where d.app_id = application and is_active(application) and d.created_at'),
      ('claim_push_deliveries', 'where o.app_id = claim_push_deliveries.app_id and o.due_at', 'where o.app_id = claim_push_deliveries.app_id and is_active(o.app_id) and o.due_at'),
      ('find_expired_channels', 'and a.status <> ''deleted''', 'and a.status = ''active'''),
      ('expired_bans', 'where b.expires_at <= now() and c.deleted_at', 'where b.expires_at <= now() and is_active(b.app_id) and c.deleted_at'),
      ('expired_bans', 'where b.expires_at <= now() limit', 'where b.expires_at <= now() and is_active(b.app_id) limit'),
      ('pending_handovers', 'and a.status <> ''deleted''', 'and a.status = ''active'''),
      ('settle_storage', 'interval ''1 hour''', 'interval ''1 hour''
                and not exists (select from tasks t where t.app_id = storage_accounts.app_id and t.type = ''export_application''
                                and t.status in (''waiting'', ''running''))')
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $$;

-- The tables that travel, those that others refer to first. What stays at home: what waits to be sent or fetched and would be twice,
-- work under way, answers kept for repetitions, flushes that were counted, and what can be found by search, which is made from the
-- messages anew.
create or replace function transferred_tables() returns table (place bigint, name text)
language sql stable as $$
  select row_number() over (order by t.place desc), t.name
  from tenant_tables() with ordinality as t (name, channel_column, user_column, place)
  where t.name not in ('imports', 'import_parts', 'tasks', 'task_parts', 'idempotency_keys', 'usage_flushes',
                       'search_index', 'search_queue', 'search_states', 'outbox', 'push_queue', 'push_deliveries', 'preview_queue')
$$;

-- The first line that can't be taken in, whatever is in the database, counted from `first_line`, and why.
create function check_import_lines(body text, first_line bigint) returns table (wrong_line bigint, detail text)
language plpgsql stable as $$
declare
  app uuid := nullif(current_setting('chat.app_id', true), '')::uuid;
  raw text[] := string_to_array(rtrim(body, E'\n'), E'\n');
  known text[] := array(select t.name from transferred_tables() t);
  line jsonb;
  named text := '';
  allowed text[];
  fault text;
begin
  for i in 1 .. cardinality(raw) loop
    begin
      line := raw[i]::jsonb;
    exception when data_exception or program_limit_exceeded then
      return query select first_line + i - 1, 'It is not JSON.'::text;
      return;
    end;
    if line ->> 'table' is distinct from named then
      named := coalesce(line ->> 'table', '');
      allowed := case when named = any (known) then columns_of(named) end;
    end if;
    fault := case
      when jsonb_typeof(line) <> 'object' or jsonb_typeof(line -> 'row') is distinct from 'object' then 'It is no row of a table.'
      when allowed is null then 'There is no table ' || named || '.'
      when line -> 'row' ->> 'app_id' is distinct from app::text then 'It belongs to another application.'
      else (select 'Table ' || named || ' has no column ' || k || '.' from jsonb_object_keys(line -> 'row') k where k <> all (allowed) limit 1)
    end;
    if fault is not null then
      return query select first_line + i - 1, fault;
      return;
    end if;
  end loop;
end $$;

-- True for what is no fault of a row: a deadlock, a lock or a disk that is full, a server that stops. Such an error goes on.
create function is_passing_error(state text) returns boolean
language sql immutable as $$ select left(state, 2) in ('40', '53', '55', '57', '58') $$;

-- Takes in lines of a file. A row tells the first line that can't be, counted from `first_line`, and why; then the transaction must not
-- be committed. Whole runs of one table's rows go in at once; only when that fails are they tried one by one, to find the one.
create or replace function import_lines(body text, first_line bigint) returns table (wrong_line bigint, detail text)
language plpgsql as $$
declare
  lines jsonb[];
  named text;
  cols text;
  start integer := 1;
  stop integer;
begin
  return query select c.wrong_line, c.detail from check_import_lines(body, first_line) c;
  if found then return; end if;
  lines := string_to_array(rtrim(body, E'\n'), E'\n')::jsonb[];
  while start <= cardinality(lines) loop
    named := lines[start] ->> 'table';
    stop := start;
    while stop < cardinality(lines) and lines[stop + 1] ->> 'table' = named loop stop := stop + 1; end loop;
    cols := (select string_agg(format('%I', c), ', ') from unnest(columns_of(named)) c);
    begin
      execute format('insert into %1$I (%2$s) select %2$s from jsonb_populate_recordset(null::%1$I, $1)', named, cols)
        using (select jsonb_agg(l -> 'row') from unnest(lines[start:stop]) l);
    exception when others then
      if is_passing_error(sqlstate) then raise; end if;
      for i in start .. stop loop
        begin
          execute format('insert into %1$I (%2$s) select %2$s from jsonb_populate_record(null::%1$I, $1)', named, cols)
            using lines[i] -> 'row';
        exception when others then
          if is_passing_error(sqlstate) then raise; end if;
          return query select first_line + i - 1, 'Table ' || named || ' does not take it: ' || sqlerrm;
          return;
        end;
      end loop;
      return query select first_line + start - 1, 'Table ' || named || ' does not take these rows together.';
      return;
    end;
    start := stop + 1;
  end loop;
end $$;

alter table imports drop constraint imports_status_check;
alter table imports
  add constraint imports_status_check check (status in ('receiving', 'waiting', 'done', 'failed', 'discarded')),
  add column attempts integer not null default 0,
  add column not_before timestamptz,           -- of waiting: no worker looks at it until then
  add column bytes bigint not null default 0,
  add column digest bytea not null default ''; -- of its parts: sha256 of what it was and the part
with further as (
  select i.app_id, i.id, row_number() over (partition by i.app_id order by i.status = 'waiting' desc, i.updated_at desc) as place from imports i
  where i.status in ('receiving', 'waiting'))
update imports i set status = 'discarded' from further f where i.app_id = f.app_id and i.id = f.id and f.place > 1;
create unique index imports_open on imports (app_id) where status in ('receiving', 'waiting');

drop function next_import();
-- Reason to cross tenants: one job takes in the files of all applications. It only takes one on, for a while; that is held and taken in
-- in transactions of its own application. Who dies over it delays it by the lease, and has used one of its attempts.
create function claim_import(due timestamptz, lease interval)
returns table (app_id uuid, id uuid, attempts integer, parts bigint, application_made timestamptz)
language sql security definer set search_path = public, pg_temp as $$
  update imports i set attempts = i.attempts + 1, not_before = due + lease
  where (i.app_id, i.id) in (
    select w.app_id, w.id from imports w where w.status = 'waiting' and (w.not_before is null or w.not_before <= due)
    order by coalesce(w.not_before, w.updated_at), w.app_id, w.id limit 1 for update skip locked)
  returning i.app_id, i.id, i.attempts, i.parts, (i.header ->> 'created_at')::timestamptz
$$;
revoke execute on function claim_import(timestamptz, interval) from public;
grant execute on function claim_import(timestamptz, interval) to chat_server;

-- Reason to cross tenants: one job forgets, of all applications, the lines of files that ended, files that were never finished, and what
-- became of the others.
create or replace function sweep_imports(older timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  victim record;
  removed integer;
begin
  select i.app_id, i.id, i.status = 'discarded' or i.updated_at < older as whole into victim from imports i
  where i.status <> 'waiting' and (i.updated_at < older or i.status = 'discarded' or (i.status <> 'receiving'
    and exists (select from import_parts p where p.app_id = i.app_id and p.import_id = i.id)))
  limit 1 for update skip locked;
  if not found then return 0; end if;
  delete from import_parts p where p.ctid = any (array(
    select ctid from import_parts where app_id = victim.app_id and import_id = victim.id limit max_rows))
    and p.app_id = victim.app_id and p.import_id = victim.id;
  get diagnostics removed = row_count;
  if removed < max_rows and victim.whole then
    delete from imports i where i.app_id = victim.app_id and i.id = victim.id;
    removed := removed + 1;
  end if;
  return removed;
end $$;

-- An operator's task has an owner that no caller can be.
update tasks set owner = '/operator' where type = 'export_application';
