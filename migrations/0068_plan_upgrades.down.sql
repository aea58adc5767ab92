drop function applications_behind(text, bigint, uuid, integer);
