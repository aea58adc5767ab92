do $do$
declare
  made text := pg_get_functiondef('purge_deleted'::regproc);
  before constant text := $$  if not victim.erase then
    perform from storage_accounts s where s.app_id = victim.app_id for update;
    if found then perform settle_storage_of(victim.app_id, now()); end if;
  end if;
$$;
begin
  if position(before in made) = 0 then raise exception 'The function purge_deleted does not say: %', before; end if;
  execute replace(made, before, '');
end $do$;
create or replace function kept_when_deleted() returns text[]
language sql immutable as $$ select array['applications', 'usage_metrics', 'plan_moves'] $$;
drop function sweep_application_audit(timestamptz, integer);
grant update, delete on application_audit to chat_server;
drop trigger keep_application_audit on application_audit;
drop function keep_application_audit();
