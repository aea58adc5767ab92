do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('kept_when_deleted', $$'plan_moves', 'override_changes',$$, $$'plan_moves',$$),
      ('transferred_tables', $$('plan_moves', 'override_changes',$$, $$('plan_moves',$$)
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
drop trigger note_later_override_change on applications;
drop trigger note_override_change on applications;
drop function note_override_change();
drop table override_changes;
