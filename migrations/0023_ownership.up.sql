-- Who owns a channel after its owner was deleted.
-- Locks: channel_members against writes while the index is made (owners alone). Time on 10 million members: ten seconds.

-- Deleted users whose channels a job passes on.
create table ownership_handovers (
  app_id uuid not null,
  owner_id uuid not null,
  new_owner text,                              -- user_id: it owns them where it is a member; null: by the rule
  requested_at timestamptz not null,
  primary key (app_id, owner_id),
  foreign key (app_id, owner_id) references users (app_id, id)
);
select make_tenant_table('ownership_handovers');
create index channel_members_owners on channel_members (app_id, channel_id) where role = 'owner';   -- list_owners, count_owners

-- Reason to cross tenants: one job finds the handovers of all applications; each channel is passed on in a transaction of its own
-- application.
create function pending_handovers(max_rows integer)
returns table (app_id uuid, owner_id uuid, user_id text, new_owner text)
language sql stable security definer set search_path = public, pg_temp as $$
  select h.app_id, h.owner_id, u.user_id, h.new_owner from ownership_handovers h
  join users u on u.app_id = h.app_id and u.id = h.owner_id
  join applications a on a.app_id = h.app_id and a.status <> 'deleted'
  order by h.requested_at limit max_rows
$$;
revoke execute on function pending_handovers(integer) from public;
grant execute on function pending_handovers(integer) to chat_server;
