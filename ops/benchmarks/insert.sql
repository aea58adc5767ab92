-- The denominator of `send` and `latency`: one message, one INSERT, one commit, into the table chatd writes to, under the
-- same foreign keys and indexes. Each client has its own channel and author, so that no two wait for one row.
-- :app, :stem (the first 24 characters of the rows made by insert_setup.sql), :prefix (first 15 characters of a UUIDv7 of now)
insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, created_at)
values (:app, (:stem || lpad(to_hex(cast(:client_id as integer)), 12, '0'))::uuid,
        overlay(gen_random_uuid()::text placing :prefix from 1 for 15)::uuid, 1, 1,
        (:stem || lpad(to_hex(cast(:client_id as integer)), 12, '0'))::uuid, 'regular',
        'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', now());
