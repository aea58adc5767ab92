-- Invitations to channels.
-- Locks: channel_members, exclusively for a moment (a trigger). Time on 10 million rows: none.

-- One of a user to a channel: a new one takes the place of an answered one.
create table channel_invites (
  app_id uuid not null,
  channel_id uuid not null,
  user_id uuid not null,                       -- who is invited
  invited_by uuid,                             -- null: the customer's server
  role text not null check (role ~ '^[a-z][a-z0-9_-]{0,31}$'),
  text text,
  state text not null check (state in ('pending', 'accepted', 'rejected')),
  created_at timestamptz not null,
  answered_at timestamptz,
  primary key (app_id, channel_id, user_id),
  foreign key (app_id, channel_id) references channels (app_id, id),
  foreign key (app_id, user_id) references users (app_id, id)
);
create index channel_invites_by_user on channel_invites (app_id, user_id, state, created_at desc, channel_id desc);     -- own lists, erasure
create index channel_invites_by_state on channel_invites (app_id, channel_id, state, created_at desc, user_id desc);   -- lists of a channel
select make_tenant_table('channel_invites');

-- An invitation as the API shows it. Whoever invited and was deleted since is not named.
create view invites_shown with (security_invoker = true) as
select i.app_id, i.channel_id, i.user_id as invitee, i.invited_by as inviter, c.type || ':' || c.channel_id as cid, c.name, c.image,
       h.member_count, u.user_id, by_user.user_id as invited_by, i.role, i.text, i.state, i.created_at, i.answered_at
from channel_invites i
join channels c on c.app_id = i.app_id and c.id = i.channel_id and c.deleted_at is null
join channel_heads h on h.app_id = c.app_id and h.channel_id = c.id
join users u on u.app_id = i.app_id and u.id = i.user_id
left join users by_user on by_user.app_id = i.app_id and by_user.id = i.invited_by and by_user.deleted_at is null;
grant select on invites_shown to chat_server;

-- Whoever becomes a member in another way waits for no answer any more.
create function settle_invite() returns trigger
language plpgsql as $$
begin
  delete from channel_invites where app_id = new.app_id and channel_id = new.channel_id and user_id = new.user_id and state <> 'pending';
  update channel_invites set state = 'accepted', answered_at = new.created_at
  where app_id = new.app_id and channel_id = new.channel_id and user_id = new.user_id;
  return null;
end $$;
create trigger settle_invite after insert on channel_members for each row execute function settle_invite();
