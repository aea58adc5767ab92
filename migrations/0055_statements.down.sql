do $edit$
declare
  made text := pg_get_functiondef('kept_when_deleted'::regproc);
begin
  execute replace(made, $$'plan_moves', 'statements', 'credits'$$, $$'plan_moves'$$);
end $edit$;
drop function export_usage(date, uuid, text, integer);
drop function list_statements(date, uuid, integer);
drop function applications_without_statement(date, uuid, integer);
drop table credits;
drop table statements;
drop table statement_numbers;
