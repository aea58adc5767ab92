delete from message_reactions where shadowed;
delete from poll_votes where shadowed;

create or replace function count_reaction() returns trigger
language plpgsql as $$
declare
  r message_reactions := coalesce(new, old);
  more integer := (tg_op = 'INSERT')::integer - (tg_op = 'DELETE')::integer;
  score_more integer := coalesce(new.score, 0) - coalesce(old.score, 0);
begin
  update messages m set reactions = case
    when coalesce((m.reactions -> r.type ->> 'count')::integer, 0) + more <= 0 then nullif(m.reactions - r.type, '{}')
    else jsonb_set(coalesce(m.reactions, '{}'), array[r.type], jsonb_build_object(
      'count', coalesce((m.reactions -> r.type ->> 'count')::integer, 0) + more,
      'score', coalesce((m.reactions -> r.type ->> 'score')::bigint, 0) + score_more,
      'first_at', case when tg_op = 'INSERT' then coalesce(m.reactions -> r.type ->> 'first_at', wire_time(r.created_at))
                  else (select wire_time(min(created_at)) from message_reactions o where o.app_id = r.app_id
                        and o.channel_id = r.channel_id and o.message_id = r.message_id and o.type = r.type) end,
      'last_at', case when tg_op = 'INSERT' then wire_time(r.created_at)
                 else (select wire_time(max(created_at)) from message_reactions o where o.app_id = r.app_id
                       and o.channel_id = r.channel_id and o.message_id = r.message_id and o.type = r.type) end)) end
  where m.app_id = r.app_id and m.channel_id = r.channel_id and m.id = r.message_id and not m.erased;
  return null;
end $$;

create or replace function count_vote() returns trigger
language plpgsql as $$
declare
  v poll_votes := coalesce(new, old);
  more integer := (tg_op = 'INSERT')::integer - (tg_op = 'DELETE')::integer;
  has_others boolean := exists (select from poll_votes o where o.app_id = v.app_id and o.channel_id = v.channel_id
                                and o.message_id = v.message_id and o.user_id = v.user_id and o.option <> v.option);
begin
  update polls p set votes[v.option] = p.votes[v.option] + more, changed = true,
    voter_count = p.voter_count + case when has_others then 0 else more end
  where p.app_id = v.app_id and p.channel_id = v.channel_id and p.message_id = v.message_id;
  return v;
end $$;

drop function is_shadowed(uuid, uuid, uuid);
alter table poll_votes drop column shadowed;
alter table message_reactions drop column shadowed;
