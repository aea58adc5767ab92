drop function operator_audit_text(operator_audit);
drop table operator_audit;
drop function keep_operator_audit();
drop function chain_operator_audit();
drop table operator_audit_head;
drop table operators;
