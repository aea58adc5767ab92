create or replace function poll_shown(p polls) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'question', p.question,
    'options', (select jsonb_agg(jsonb_build_object('id', o.place::text, 'text', o.text, 'votes', p.votes[o.place]) order by o.place)
                from unnest(p.options) with ordinality o (text, place)),
    'anonymous', p.anonymous, 'max_votes', p.max_votes, 'voter_count', p.voter_count,
    'closed', p.closed_at is not null or coalesce(p.closes_at <= now(), false),
    'closes_at', wire_time(p.closes_at), 'closed_at', wire_time(p.closed_at),
    'closed_by', (select u.user_id from users u where u.app_id = p.app_id and u.id = p.closed_by)))
$$;

drop trigger forget_suggestions on user_erasures;
drop function forget_suggestions();
drop index polls_with_suggestions;
alter table polls drop column suggested_by, drop column allow_suggestions;
