drop function sweep_tasks(integer);
drop function claim_task(text[], uuid, integer);
drop table task_parts;
drop table tasks;
