-- Polls whose voters add options. Locks: polls briefly (columns with constant defaults). Time on 10 million rows: under a second.

alter table polls
  add column allow_suggestions boolean not null default false,
  add column suggested_by uuid[] not null default '{}';   -- who suggested the last of the options, in their order
create index polls_with_suggestions on polls (app_id) where suggested_by <> '{}';   -- erasure, export

-- What an erased user suggested stands without its words: others may have voted for it.
create function forget_suggestions() returns trigger
language plpgsql as $$
begin
  update polls p set options = array(
    select case when p.suggested_by[o.place - cardinality(p.options) + cardinality(p.suggested_by)] = new.user_id then '' else o.text end
    from unnest(p.options) with ordinality o (text, place) order by o.place), changed = true
  where p.app_id = new.app_id and p.suggested_by <> '{}' and new.user_id = any (p.suggested_by);
  return null;
end $$;
create trigger forget_suggestions after insert on user_erasures for each row execute function forget_suggestions();

-- As the API shows it.
create or replace function poll_shown(p polls) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'question', p.question,
    'options', (select jsonb_agg(jsonb_build_object('id', o.place::text, 'text', o.text, 'votes', p.votes[o.place]) order by o.place)
                from unnest(p.options) with ordinality o (text, place)),
    'anonymous', p.anonymous, 'max_votes', p.max_votes, 'allow_suggestions', p.allow_suggestions, 'voter_count', p.voter_count,
    'closed', p.closed_at is not null or coalesce(p.closes_at <= now(), false),
    'closes_at', wire_time(p.closes_at), 'closed_at', wire_time(p.closed_at),
    'closed_by', (select u.user_id from users u where u.app_id = p.app_id and u.id = p.closed_by)))
$$;
