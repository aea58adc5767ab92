drop function erase_and_tell(integer);
do $edits$
declare
  made text := pg_get_functiondef('erase_deleted_users'::regproc);
  edit record;
begin
  for edit in select * from (values
      (E'returning message_seq), counted as (\n  insert into message_deletions', E'returning message_seq)\n  insert into message_deletions'),
      (E'on conflict do nothing)\n  select count(*) into removed from erased;\n  update user_erasures set after_message', E'on conflict do nothing;\n  update user_erasures set after_message'),
      (E'and user_id = erasure.user_id;\n  return 1 + least(removed, 1);\nend', E'and user_id = erasure.user_id;\n  return 1;\nend')
    ) as e (was, becomes) loop
    if position(edit.was in made) = 0 then raise exception 'The function erase_deleted_users does not say: %', edit.was; end if;
    made := replace(made, edit.was, edit.becomes);
  end loop;
  execute made;
end $edits$;
