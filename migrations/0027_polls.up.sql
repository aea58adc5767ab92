-- Polls: a question with options, in a message.
-- Locks: messages_shown briefly. Time on 10 million rows: none (new tables).

-- A message that has one says so in its extras ({"poll": true}), so that others look at no other table.
create table polls (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  question text not null,
  options text[] not null,
  votes bigint[] not null,                     -- of each option; kept by count_vote
  voter_count bigint not null default 0,       -- users with at least one vote; kept by count_vote
  anonymous boolean not null,                  -- nobody is told who voted for what
  max_votes integer not null,                  -- of one user
  closes_at timestamptz,
  closed_at timestamptz,                       -- null: open, unless closes_at has passed
  closed_by uuid,                              -- null: its time, or a server
  changed boolean not null default false,      -- votes of which the channel was not told yet
  primary key (app_id, channel_id, message_id),
  foreign key (app_id, channel_id) references channels (app_id, id)
) with (fillfactor = 70);
create index polls_to_close on polls (app_id, closes_at) where closes_at is not null and closed_at is null;   -- the job
create index polls_to_tell on polls (app_id, channel_id, message_id) where changed;                            -- the job
select make_tenant_table('polls');

create table poll_votes (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  user_id uuid not null,
  option integer not null,                     -- its place in polls.options, from 1
  created_at timestamptz not null,
  primary key (app_id, channel_id, message_id, user_id, option),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index poll_votes_by_option on poll_votes (app_id, channel_id, message_id, option, created_at desc, user_id);   -- lists
create index poll_votes_by_user on poll_votes (app_id, user_id);                                                       -- erasure
select make_tenant_table('poll_votes');

-- Before, not after: only so does the second of several rows that one statement removes see that the first is gone, and the last
-- of a user's votes is known as the last.
create function count_vote() returns trigger
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
create trigger count_vote before insert or delete on poll_votes for each row execute function count_vote();

-- A poll goes with its message, whoever erases it; first the poll, so that its votes need not be counted down.
create function forget_poll() returns trigger
language plpgsql as $$
begin
  delete from polls where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  delete from poll_votes where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  return null;
end $$;
create trigger forget_poll after update of erased on messages
for each row when (new.erased and not old.erased and old.extras ? 'poll') execute function forget_poll();

-- As the API shows it.
create function poll_shown(p polls) returns jsonb
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

-- Reason to cross tenants: one job tells the channels of all applications how their polls stand, another closes those whose time
-- has come. They only name polls; each is told or closed in a transaction of its own application.
create function changed_polls(max_rows integer)
returns table (app_id uuid, channel_id uuid, message_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.app_id, p.channel_id, p.message_id from polls p where p.changed limit max_rows
$$;
revoke execute on function changed_polls(integer) from public;
grant execute on function changed_polls(integer) to chat_server;

-- Reason to cross tenants: see changed_polls. Goes from application to application along the index of open polls with an end.
create function due_polls(due_until timestamptz, max_rows integer)
returns table (app_id uuid, channel_id uuid, message_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  with recursive applications_with as (
    (select p.app_id from polls p where p.closes_at is not null and p.closed_at is null order by p.app_id limit 1)
    union all
    select (select p.app_id from polls p
            where p.closes_at is not null and p.closed_at is null and p.app_id > a.app_id order by p.app_id limit 1)
    from applications_with a where a.app_id is not null
  )
  select due.* from applications_with a
  cross join lateral (
    select p.app_id, p.channel_id, p.message_id from polls p
    where p.app_id = a.app_id and p.closes_at is not null and p.closed_at is null and p.closes_at <= due_until
    order by p.closes_at limit max_rows) due
  limit max_rows
$$;
revoke execute on function due_polls(timestamptz, integer) from public;
grant execute on function due_polls(timestamptz, integer) to chat_server;

-- A message as the API shows it: a deleted one, one that was truncated, and one whose author's are hidden, without its content; an
-- erased one without its author.
create or replace view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when gone.at is null then m.text else '' end as text,
       case when gone.at is null then m.attachments::text end as attachments,
       case when gone.at is null then m.mentions::text end as mentions,
       case when gone.at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, gone.at as deleted_at, m.erased, m.user_id as author,
       case when gone.at is null then m.reactions::text end as reactions,
       case when gone.at is null and m.pinned_at is not null and (m.pin_expires_at is null or m.pin_expires_at > now())
            then json_strip_nulls(json_build_object(
              'at', wire_time(m.pinned_at), 'expires_at', wire_time(m.pin_expires_at),
              'by', (select p.user_id from users p where p.app_id = m.app_id and p.id = m.pinned_by)))::text end as pin,
       case when gone.at is null then (
         case when m.extras ? 'poll' then m.extras || (
           select jsonb_build_object('poll', poll_shown(p)) from polls p
           where p.app_id = m.app_id and p.channel_id = m.channel_id and p.message_id = m.id)
         else m.extras end)::text end as extras
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id
cross join lateral (
  select coalesce(m.deleted_at, author.messages_hidden_at, case when m.id <= c.truncated_message_id then c.truncated_at end) as at) gone;
