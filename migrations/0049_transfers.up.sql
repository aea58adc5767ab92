-- An application as one file, and from one: every tenant table's rows, as the catalogue knows them.
-- Locks: tables with triggers for a moment each (triggers are made anew). Time on 10 million rows: none.

-- Files on their way in. They wait here, line by line, until all is there; then one transaction takes them or none.
create table imports (
  app_id uuid not null,                        -- of the application to come: it does not exist yet
  id uuid not null,
  status text not null default 'receiving' check (status in ('receiving', 'waiting', 'done', 'failed')),
  header jsonb not null,                       -- the first line of the file
  parts bigint not null default 0,
  lines bigint not null default 0,
  error text,
  error_line bigint,                           -- of the file, from 1
  lost_secrets integer not null default 0,     -- sealed with another master key
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (app_id, id)
);
select make_tenant_table('imports');

create table import_parts (
  app_id uuid not null,
  import_id uuid not null,
  part bigint not null,
  first_line bigint not null,
  body text not null,
  primary key (app_id, import_id, part),
  foreign key (app_id, import_id) references imports (app_id, id)
);
select make_tenant_table('import_parts');

-- The tables that travel, those that others refer to first. What stays at home: work under way, answers kept for repetitions,
-- flushes that were counted, and what can be found by search, which is made from the messages anew.
create function transferred_tables() returns table (place bigint, name text)
language sql stable as $$
  select row_number() over (order by t.place desc), t.name
  from tenant_tables() with ordinality as t (name, channel_column, user_column, place)
  where t.name not in ('imports', 'import_parts', 'tasks', 'task_parts', 'idempotency_keys', 'usage_flushes',
                       'search_index', 'search_queue', 'search_states')
$$;

-- Its columns that are written, in their order.
create function columns_of(named text) returns text[]
language sql stable as $$
  select array_agg(a.attname::text order by a.attnum) from pg_attribute a
  where a.attrelid = named::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
$$;

-- Lines of a file: rows of one table, along its primary key, after the row at `after` ('': from the first). Each with its place.
create function export_lines(named text, after text, max_rows integer) returns table (place text, line text)
language plpgsql stable as $$
declare
  keys text[];
  types text[];
  bound text := '';
begin
  select array_agg(a.attname::text order by k.n), array_agg(format_type(a.atttypid, a.atttypmod) order by k.n) into keys, types
  from pg_index i, unnest(i.indkey[1:]) with ordinality as k (attnum, n), pg_attribute a
  where i.indrelid = named::regclass and i.indisprimary and a.attrelid = i.indrelid and a.attnum = k.attnum;
  if after <> '' then
    if keys is null then return; end if;       -- one row of an application
    select format('and (%s) > (%s)', string_agg(format('%I', keys[e.n]), ', ' order by e.n),
                  string_agg(format('%L::%s', e.value, types[e.n]), ', ' order by e.n)) into bound
    from jsonb_array_elements_text(after::jsonb) with ordinality as e (value, n);
  end if;
  return query execute format(
    'select jsonb_build_array(%s)::text, jsonb_build_object(''table'', %L, ''row'', to_jsonb(t))::text from %I t
     where app_id = nullif(current_setting(''chat.app_id'', true), '''')::uuid %s order by %s limit $1',
    coalesce((select string_agg(format('t.%I::text', k), ', ') from unnest(keys) k), ''), named, named, bound,
    coalesce((select string_agg(format('%I', k), ', ') from unnest(keys) k), 'app_id')) using max_rows;
end $$;

-- Takes in lines of a file. A row tells the first line that can't be, counted from `first_line`, and why; then the transaction must not
-- be committed. Whole runs of one table's rows go in at once; only when that fails are they tried one by one, to find the one.
create function import_lines(body text, first_line bigint) returns table (wrong_line bigint, detail text)
language plpgsql as $$
declare
  app uuid := nullif(current_setting('chat.app_id', true), '')::uuid;
  raw text[] := string_to_array(rtrim(body, E'\n'), E'\n');
  lines jsonb[] := '{}';
  known text[] := array(select t.name from transferred_tables() t);
  named text := '';
  allowed text[];
  cols text;
  fault text;
  start integer := 1;
  stop integer;
begin
  for i in 1 .. cardinality(raw) loop
    begin
      lines := array_append(lines, raw[i]::jsonb);
    exception when others then
      return query select first_line + i - 1, 'It is not JSON.'::text;
      return;
    end;
    if lines[i] ->> 'table' is distinct from named then
      named := coalesce(lines[i] ->> 'table', '');
      allowed := case when named = any (known) then columns_of(named) end;
    end if;
    fault := case
      when jsonb_typeof(lines[i]) <> 'object' or jsonb_typeof(lines[i] -> 'row') is distinct from 'object' then 'It is no row of a table.'
      when allowed is null then 'There is no table ' || named || '.'
      when lines[i] -> 'row' ->> 'app_id' is distinct from app::text then 'It belongs to another application.'
      else (select 'Table ' || named || ' has no column ' || k || '.' from jsonb_object_keys(lines[i] -> 'row') k where k <> all (allowed) limit 1)
    end;
    if fault is not null then
      return query select first_line + i - 1, fault;
      return;
    end if;
  end loop;
  while start <= cardinality(lines) loop
    named := lines[start] ->> 'table';
    stop := start;
    while stop < cardinality(lines) and lines[stop + 1] ->> 'table' = named loop stop := stop + 1; end loop;
    cols := (select string_agg(format('%I', c), ', ') from unnest(columns_of(named)) c);
    begin
      execute format('insert into %1$I (%2$s) select %2$s from jsonb_populate_recordset(null::%1$I, $1)', named, cols)
        using (select jsonb_agg(l -> 'row') from unnest(lines[start:stop]) l);
    exception when others then
      for i in start .. stop loop
        begin
          execute format('insert into %1$I (%2$s) select %2$s from jsonb_populate_record(null::%1$I, $1)', named, cols)
            using lines[i] -> 'row';
        exception when others then
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

-- Reason to cross tenants: one job takes in the files of all applications. It only names one; that is held and taken in a transaction
-- of its own application.
create function next_import() returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select i.app_id, i.id from imports i where i.status = 'waiting' order by i.updated_at limit 1 for update skip locked
$$;
revoke execute on function next_import() from public;
grant execute on function next_import() to chat_server;

-- Reason to cross tenants: one job forgets the files of all applications that were never finished, and what became of the others.
create function sweep_imports(older timestamptz, max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  victim record;
  removed integer;
begin
  select i.app_id, i.id into victim from imports i where i.status <> 'waiting' and i.updated_at < older limit 1 for update skip locked;
  if not found then return 0; end if;
  delete from import_parts p where p.ctid = any (array(
    select ctid from import_parts where app_id = victim.app_id and import_id = victim.id limit max_rows))
    and p.app_id = victim.app_id and p.import_id = victim.id;
  get diagnostics removed = row_count;
  if removed < max_rows then
    delete from imports i where i.app_id = victim.app_id and i.id = victim.id;
    removed := removed + 1;
  end if;
  return removed;
end $$;
revoke execute on function sweep_imports(timestamptz, integer) from public;
grant execute on function sweep_imports(timestamptz, integer) to chat_server;

-- What triggers would count, queue or settle is in the file already: while rows are taken in, they are silent. A migration that makes
-- a trigger that fires on inserts calls this for it.
create function silence_in_imports(tenant_table regclass, trigger_name name) returns void
language plpgsql as $$
declare
  made text := (select pg_get_triggerdef(oid) from pg_trigger where tgrelid = tenant_table and tgname = trigger_name);
  unless constant text := '(current_setting(''chat.importing''::text, true) IS DISTINCT FROM ''on''::text)';
begin
  execute format('drop trigger %I on %s', trigger_name, tenant_table);
  if made like '% WHEN (%' then
    execute replace(made, ' WHEN (', ' WHEN (' || unless || ' AND ');
  else
    execute replace(made, ' EXECUTE FUNCTION ', ' WHEN (' || unless || ') EXECUTE FUNCTION ');
  end if;
end $$;
revoke execute on function silence_in_imports(regclass, name) from public;

do $$
declare
  found record;
begin
  for found in select t.tgrelid::regclass as tenant_table, t.tgname from pg_trigger t
               join pg_class c on c.oid = t.tgrelid and not c.relispartition
               join pg_attribute a on a.attrelid = t.tgrelid and a.attname = 'app_id'
               where not t.tgisinternal and t.tgtype & 4 = 4 order by 1, 2 loop   -- 4: fires on inserts
    perform silence_in_imports(found.tenant_table, found.tgname);
  end loop;
end $$;
