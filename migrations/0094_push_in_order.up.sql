-- Push: while a device is being told of a channel nobody else tells it of that channel, and while it is decided who is told of a message nobody
-- else decides of later ones of its channel: so that an older notification does not replace a newer one.
-- Locks: none (functions). Time on 10 million rows: none.

-- Whether a device is being told is asked by the primary key; whose channels others are at, once for each application.
do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('claim_push_deliveries', '(o.claimed_until is null or o.claimed_until <= due_until)', '(o.claimed_until is null or o.claimed_until <= due_until)
        and not exists (select from push_deliveries x where x.app_id = o.app_id and x.user_id = o.user_id and x.device_id = o.device_id
          and x.channel_id = o.channel_id and x.claimed_until > due_until)'),
      ('claim_push_queue', '  n integer;', '  n integer;
  busy uuid[];'),
      ('claim_push_queue', 'while application is not null and claimed < max_rows loop', 'while application is not null and claimed < max_rows loop
    busy := array(select c from push_queue b, unnest(b.channels) c where b.app_id = application and b.claimed_until > now());'),
      ('claim_push_queue', '(d.claimed_until is null or d.claimed_until <= now())', '(d.claimed_until is null or d.claimed_until <= now()) and not d.channels && busy')
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
