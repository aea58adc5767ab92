-- Reactions to messages.
-- Locks: messages, exclusively for a moment (a column without default, a trigger). Time on 10 million rows: under a second.

create table message_reactions (
  app_id uuid not null,
  channel_id uuid not null,
  message_id uuid not null,
  user_id uuid not null,
  type text not null check (octet_length(type) between 1 and 64),
  score integer not null check (score between 1 and 1000),
  created_at timestamptz not null,
  updated_at timestamptz,
  primary key (app_id, channel_id, message_id, user_id, type),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index message_reactions_by_type on message_reactions (app_id, channel_id, message_id, type, created_at desc, user_id);  -- lists, first and last
create index message_reactions_by_user on message_reactions (app_id, user_id);  -- erasure
select make_tenant_table('message_reactions');

-- {"like":{"count","score","first_at","last_at"}, …}; null: none. Kept by the trigger below, so that reading a page of messages
-- asks no other table, and the numbers stay right whoever removes a reaction.
alter table messages add column reactions jsonb;

-- As the API writes a time.
create function wire_time(at timestamptz) returns text
language sql stable as $$ select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- Adds to one type of a message, or takes away. Its row lock makes those who come together wait for each other.
create function count_reaction() returns trigger
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
create trigger count_reaction after insert or update of score or delete on message_reactions
for each row execute function count_reaction();

-- What hangs on a message goes when it is erased, whoever erases it.
create function forget_message_parts() returns trigger
language plpgsql as $$
begin
  delete from message_reactions where app_id = new.app_id and channel_id = new.channel_id and message_id = new.id;
  update messages set reactions = null
  where app_id = new.app_id and channel_id = new.channel_id and id = new.id and reactions is not null;
  return null;
end $$;
create trigger forget_message_parts after update of erased on messages
for each row when (new.erased and not old.erased) execute function forget_message_parts();

-- A message as the API shows it: a deleted one without its content, an erased one without its author.
create or replace view messages_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.id, c.type || ':' || c.channel_id as cid, m.seq, m.message_seq, m.type,
       case when m.erased then null else author.user_id end as user_id,
       case when m.deleted_at is null then m.text else '' end as text,
       case when m.deleted_at is null then m.attachments::text end as attachments,
       case when m.deleted_at is null then m.mentions::text end as mentions,
       case when m.deleted_at is null then m.custom::text end as custom,
       m.parent_id, m.show_in_channel, m.quoted_id, m.reply_count, m.silent, m.nonce,
       m.created_at, m.updated_at, m.deleted_at, m.erased, m.user_id as author,
       case when m.deleted_at is null then m.reactions::text end as reactions
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id;
