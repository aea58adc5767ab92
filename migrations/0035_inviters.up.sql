-- Invitations by who wrote them.
-- Locks: channel_invites against writes while the index is made. Time on 10 million rows: half a minute.
create index channel_invites_by_inviter on channel_invites (app_id, invited_by) where invited_by is not null;   -- forget_invitations
