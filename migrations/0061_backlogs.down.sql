drop function oldest_waiting(timestamptz);
