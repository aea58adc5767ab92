do $$
declare
  made text := pg_get_functiondef('claim_webhooks'::regproc);
begin
  execute replace(made, 'o.state = ''pending''
          and (o.claim_id is null or o.due_at <= due_until) limit 500', 'o.state = ''pending''
        limit 500');
end $$;
