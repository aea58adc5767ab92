-- Erasing what a deleted user wrote says where it changed what others have unread.
-- Locks: none. Time on 10 million rows: none.
do $edits$
declare
  made text := pg_get_functiondef('erase_deleted_users'::regproc);
  edit record;
begin
  for edit in select * from (values
      (E'returning message_seq)\n  insert into message_deletions', E'returning message_seq), counted as (\n  insert into message_deletions'),
      (E'on conflict do nothing;\n  update user_erasures set after_message', E'on conflict do nothing)\n  select count(*) into removed from erased;\n  update user_erasures set after_message'),
      (E'and user_id = erasure.user_id;\n  return 1;\nend', E'and user_id = erasure.user_id;\n  return 1 + least(removed, 1);\nend')
    ) as e (was, becomes) loop
    if position(edit.was in made) = 0 then raise exception 'The function erase_deleted_users does not say: %', edit.was; end if;
    made := replace(made, edit.was, edit.becomes);
  end loop;
  execute made;
end $edits$;

-- Reason to cross tenants: one job erases in all applications, the oldest erasure first. Says in which channel messages went.
-- `worked`: 0: nothing is left. The row that it holds is the one that erase_deleted_users goes on with.
create function erase_and_tell(max_rows integer, out worked integer, out app_id uuid, out cid text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erasure user_erasures;
begin
  select * into erasure from user_erasures e order by e.requested_at limit 1 for update skip locked;
  worked := erase_deleted_users(max_rows);
  if worked < 2 then return; end if;
  app_id := erasure.app_id;
  select c.type || ':' || c.channel_id into cid from channels c where c.app_id = erasure.app_id and c.id = erasure.channel_id and c.deleted_at is null;
end $$;
revoke execute on function erase_and_tell(integer) from public;
grant execute on function erase_and_tell(integer) to chat_server;
