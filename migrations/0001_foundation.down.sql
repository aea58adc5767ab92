drop function sweep_outbox(integer);
drop table outbox;
drop function sweep_idempotency_keys(integer);
drop table idempotency_keys;
drop function make_tenant_table(regclass);
