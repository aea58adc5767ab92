-- 64 authors and channels for insert.sql. psql variables: app, stem.
insert into users (app_id, id, user_id, created_at, updated_at)
select :'app', (:'stem' || lpad(to_hex(n), 12, '0'))::uuid, 'insert-' || n, now(), now() from generate_series(0, 63) n
on conflict do nothing;
insert into channels (app_id, id, type, channel_id, created_at, updated_at)
select :'app', (:'stem' || lpad(to_hex(n), 12, '0'))::uuid, 'messaging', 'insert-' || n, now(), now() from generate_series(0, 63) n
on conflict do nothing;
