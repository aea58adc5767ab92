do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('kept_when_deleted', $$'usage_metrics', 'plan_moves'$$, $$'usage_metrics'$$),
      ('transferred_tables', $$('plan_moves', 'imports',$$, $$('imports',$$)
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
drop trigger note_later_plan_move on applications;
drop trigger note_plan_move on applications;
drop function note_plan_move();
drop trigger choose_later_plan_version on applications;
drop trigger choose_plan_version on applications;
drop function choose_plan_version();
alter table applications drop column pays_yearly, drop column plan_version;
drop table plan_moves;
alter table plans drop column archived_at, drop column version;
drop table plan_versions;
