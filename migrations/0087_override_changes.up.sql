-- What an application's overrides were and since when: a month's bill takes those of its end, however late it is made.
-- Locks: applications, exclusively for a moment. Time on 10 million rows: seconds (each application gets a row).

-- Written by a trigger, whoever changes them.
create table override_changes (
  app_id uuid not null references applications (app_id),
  changed_at timestamptz not null,
  limits jsonb not null,
  primary key (app_id, changed_at)
);
select make_tenant_table('override_changes');
insert into override_changes (app_id, changed_at, limits) select app_id, created_at, limits from applications;

create function note_override_change() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into override_changes (app_id, changed_at, limits)
  values (new.app_id, case when tg_op = 'INSERT' then new.created_at else new.updated_at end, new.limits)
  on conflict (app_id, changed_at) do update set limits = excluded.limits;
  return null;
end $$;
create trigger note_override_change after insert on applications for each row execute function note_override_change();
select silence_in_imports('applications', 'note_override_change');
create trigger note_later_override_change after update of limits on applications for each row
  when (old.limits is distinct from new.limits) execute function note_override_change();

-- As with plan_moves: kept for the bills when an application is deleted, begun anew where it is imported.
do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('kept_when_deleted', $$'plan_moves',$$, $$'plan_moves', 'override_changes',$$),
      ('transferred_tables', $$('plan_moves',$$, $$('plan_moves', 'override_changes',$$)
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
