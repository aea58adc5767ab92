drop function count_applications_on_plan(text);
drop function find_applications_by_name(text);
drop function list_applications(uuid, text, integer);
drop table user_revocations;
drop table application_secrets;
drop table applications;
drop table plans;
