-- Webhooks: disabling an endpoint ends what waits for it, and leaves what is under way to those who are at it.
-- Locks: none (a function). Time on 10 million rows: none.

-- What a worker holds whose lease has not ended keeps its state: else a call that succeeds would be noted as never made.
do $$
declare
  made text := pg_get_functiondef('claim_webhooks'::regproc);
  was text := 'o.state = ''pending''
        limit 500';
begin
  if position(was in made) = 0 then raise exception 'The function % does not say: %', 'claim_webhooks', was; end if;
  execute replace(made, was, 'o.state = ''pending''
          and (o.claim_id is null or o.due_at <= due_until) limit 500');
end $$;
