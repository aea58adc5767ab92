do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('claim_push_deliveries', '
        and not exists (select from push_deliveries x where x.app_id = o.app_id and x.user_id = o.user_id and x.device_id = o.device_id
          and x.channel_id = o.channel_id and x.claimed_until > due_until)', ''),
      ('claim_push_queue', '
    busy := array(select c from push_queue b, unnest(b.channels) c where b.app_id = application and b.claimed_until > now());', ''),
      ('claim_push_queue', ' and not d.channels && busy', ''),
      ('claim_push_queue', '
  busy uuid[];', '')
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
