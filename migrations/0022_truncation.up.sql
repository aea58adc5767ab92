-- Truncation: a channel's history up to a point goes at once, for everybody; what is to be removed, a job removes.
-- Locks: channels and channel_heads briefly (columns without a rewrite); mentions against writes while its index is made. Time on
-- 10 million mentions: half a minute.

alter table channels
  add column truncated_message_id uuid,        -- no message up to this one is shown; it never goes back
  add column truncated_at timestamptz,
  add column emptied_message_id uuid;          -- and up to this one the content is removed, or will be by the job
alter table channel_heads add column truncated_message_seq bigint;   -- unread begins after this number
create index mentions_by_message on mentions (app_id, channel_id, message_id);   -- removal, by message

-- What the job has to do in truncated channels.
create table truncations (
  app_id uuid not null,
  channel_id uuid not null,
  up_to uuid not null,                         -- nobody finds messages up to this one
  remove_up_to uuid,                           -- of those, this one and all before lose their content; null: none
  remove_seq bigint not null default 0,        -- and the events up to this number are forgotten
  after_message uuid not null,                 -- done up to here
  requested_at timestamptz not null,
  primary key (app_id, channel_id),
  foreign key (app_id, channel_id) references channels (app_id, id)
);
select make_tenant_table('truncations');

-- Reason to cross tenants: one job takes what was truncated out of the search index, and removes what is to be removed, in all
-- applications. One call looks at max_rows messages of one channel, by their primary key. A removed message is erased, by which goes
-- what hangs on it; its row stays until no nonce can name it any more (sweep_message_nonces). Returns the steps done; 0: nothing left to do.
create function finish_truncations(max_rows integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  work truncations;
  slice uuid[];
begin
  select * into work from truncations order by requested_at limit 1 for update skip locked;
  if not found then return 0; end if;
  slice := array(select id from messages
                 where app_id = work.app_id and channel_id = work.channel_id and id > work.after_message and id <= work.up_to
                 order by id limit max_rows);
  if cardinality(slice) > 0 then
    update messages set text = '', attachments = null, mentions = null, custom = null, nonce = null, erased = true,
      deleted_at = coalesce(deleted_at, now())
    where app_id = work.app_id and channel_id = work.channel_id and id = any (slice) and id <= work.remove_up_to and not messages.erased;
    update search_index set words = null, version = version + 1
    where app_id = work.app_id and channel_id = work.channel_id and id = any (slice) and words is not null;
    delete from mentions where app_id = work.app_id and channel_id = work.channel_id and message_id = any (slice)
      and message_id <= work.remove_up_to;
    delete from messages where app_id = work.app_id and channel_id = work.channel_id and id = any (slice) and id <= work.remove_up_to
      and id < uuid7_floor(now() - interval '8 days');
    update truncations set after_message = slice[cardinality(slice)] where app_id = work.app_id and channel_id = work.channel_id;
    return 1;
  end if;
  delete from channel_events where app_id = work.app_id and channel_id = work.channel_id and seq = any (array(
    select seq from channel_events
    where app_id = work.app_id and channel_id = work.channel_id and seq <= work.remove_seq order by seq limit max_rows));
  if found then return 1; end if;
  delete from message_deletions where app_id = work.app_id and channel_id = work.channel_id and message_seq = any (array(
    select d.message_seq from message_deletions d
    join channel_heads h on h.app_id = work.app_id and h.channel_id = work.channel_id
    where d.app_id = work.app_id and d.channel_id = work.channel_id and d.message_seq <= h.truncated_message_seq limit max_rows));
  if found then return 1; end if;
  delete from truncations where app_id = work.app_id and channel_id = work.channel_id;
  return 1;
end $$;
revoke execute on function finish_truncations(integer) from public;
grant execute on function finish_truncations(integer) to chat_server;

-- Reason to cross tenants: one job indexes what was sent in all applications. Takes rows of the queue, at most max_batches, and
-- indexes their messages as they are now. Safe beside itself. Returns the rows taken; 0: nothing waits.
create or replace function index_messages(max_batches integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  taken integer;
begin
  with batches as (
    delete from search_queue where ctid = any (array(select ctid from search_queue limit max_batches for update skip locked))
    returning app_id, channels, messages
  ), wanted as (
    select distinct b.app_id, r.channel_id, r.id from batches b, unnest(b.channels, b.messages) r (channel_id, id)
  ), indexed as (
    insert into search_index (app_id, channel_id, id, version, words)
    select m.app_id, m.channel_id, m.id, coalesce(i.version, 0),
      words_of_message(coalesce(a.settings ->> 'search_language', 'simple'), m)
    from wanted w
    join messages m on m.app_id = w.app_id and m.channel_id = w.channel_id and m.id = w.id
    join channels c on c.app_id = w.app_id and c.id = w.channel_id and (c.truncated_message_id is null or w.id > c.truncated_message_id)
    join applications a on a.app_id = w.app_id and coalesce(a.settings ->> 'search_language', 'simple') <> 'off'
    left join search_index i on i.app_id = w.app_id and i.channel_id = w.channel_id and i.id = w.id
    where m.type <> 'system' and m.seq > 0 and m.deleted_at is null and not m.erased   -- 0: written in the shadow of a ban
    order by m.app_id, m.channel_id, m.id
    on conflict (app_id, channel_id, id) do update set words = excluded.words where search_index.version = excluded.version
  )
  select count(*) into taken from batches;
  return taken;
end $$;

-- As before; unread begins after what was truncated.
create or replace view members_shown with (security_invoker = true) as
select m.app_id, m.channel_id, m.user_id as id, u.user_id, m.role, m.created_at, m.updated_at, m.read_message_seq, m.read_at,
       greatest(h.last_message_seq - greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
                - (select count(*) from message_deletions d
                   where d.app_id = m.app_id and d.channel_id = m.channel_id
                     and d.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)), 0) as unread,
       h.last_message_seq,
       (select count(*) from mentions x
        where x.app_id = m.app_id and x.user_id = m.user_id and x.channel_id = m.channel_id
          and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
          and not exists (select 1 from message_deletions d
                          where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq))
       + (select count(*) from channel_mentions x
          where x.app_id = m.app_id and x.channel_id = m.channel_id
            and x.message_seq > greatest(coalesce(m.read_message_seq, m.joined_message_seq), m.cleared_message_seq, h.truncated_message_seq)
            and (x.roles = '{}' or m.role = any (x.roles))
            and not exists (select 1 from mentions o where o.app_id = x.app_id and o.user_id = m.user_id
                            and o.channel_id = x.channel_id and o.message_id = x.message_id)
            and not exists (select 1 from message_deletions d
                            where d.app_id = x.app_id and d.channel_id = x.channel_id and d.message_seq = x.message_seq)) as mentions,
       greatest(m.read_message_seq, m.furthest_read_seq) as seen_seq,
       greatest(m.delivered_seq, m.read_message_seq, m.furthest_read_seq) as delivered_seq,
       greatest(m.delivered_at, m.read_at) as delivered_at,
       m.joined_message_seq,
       m.custom::text as custom,
       m.muted_at is not null and (m.mute_expires_at is null or m.mute_expires_at > now()) as muted,
       m.mute_expires_at,
       m.hidden_message_seq is not null and h.last_message_seq <= m.hidden_message_seq as hidden,
       m.pinned_at, m.archived_at, m.cleared_message_id
from channel_members m
join channel_heads h on h.app_id = m.app_id and h.channel_id = m.channel_id
join users u on u.app_id = m.app_id and u.id = m.user_id;

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
       case when gone.at is null then m.extras::text end as extras
from messages m
join channels c on c.app_id = m.app_id and c.id = m.channel_id
join users author on author.app_id = m.app_id and author.id = m.user_id
cross join lateral (
  select coalesce(m.deleted_at, author.messages_hidden_at, case when m.id <= c.truncated_message_id then c.truncated_at end) as at) gone;

create or replace view channels_shown with (security_invoker = true) as
select c.app_id, c.id, c.type, c.channel_id, c.name, c.image, c.description, c.custom::text as custom, c.frozen,
       c.is_distinct, creator.user_id as created_by, c.created_at, c.updated_at,
       h.epoch, h.last_seq, h.last_message_seq, h.last_message_id, h.last_message_at, h.member_count,
       c.slow_mode, c.cooldown, c.blocked and h.member_count = 2 as blocked,
       c.truncated_at, c.truncated_message_id
from channels c
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
left join users creator on creator.app_id = c.app_id and creator.id = c.created_by
where c.deleted_at is null;
