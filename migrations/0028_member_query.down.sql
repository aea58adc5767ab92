drop index channel_members_by_time;
