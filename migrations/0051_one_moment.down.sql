update tasks set owner = '' where type = 'export_application';
create or replace function sweep_imports(older timestamptz, max_rows integer) returns integer
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
drop function claim_import(timestamptz, interval);
create function next_import() returns table (app_id uuid, id uuid)
language sql security definer set search_path = public, pg_temp as $$
  select i.app_id, i.id from imports i where i.status = 'waiting' order by i.updated_at limit 1 for update skip locked
$$;
revoke execute on function next_import() from public;
grant execute on function next_import() to chat_server;
drop index imports_open;
update imports set status = 'failed' where status = 'discarded';
alter table imports drop constraint imports_status_check;
alter table imports
  add constraint imports_status_check check (status in ('receiving', 'waiting', 'done', 'failed')),
  drop column attempts, drop column not_before, drop column bytes, drop column digest;
create or replace function import_lines(body text, first_line bigint) returns table (wrong_line bigint, detail text)
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
drop function is_passing_error(text);
drop function check_import_lines(text, bigint);
create or replace function transferred_tables() returns table (place bigint, name text)
language sql stable as $$
  select row_number() over (order by t.place desc), t.name
  from tenant_tables() with ordinality as t (name, channel_column, user_column, place)
  where t.name not in ('imports', 'import_parts', 'tasks', 'task_parts', 'idempotency_keys', 'usage_flushes',
                       'search_index', 'search_queue', 'search_states')
$$;
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
    if position(edit.becomes in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.becomes; end if;
    execute replace(made, edit.becomes, edit.was);
  end loop;
end $$;
drop function is_active(uuid);
