-- What moderators see of a message that was flagged has the question and the options of its poll.
-- Locks: none (a function). Time on 10 million rows: none; what was flagged before stays as it is.
create or replace function evidence_of_message(app uuid, channel uuid, message uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('text', m.text, 'type', m.type, 'attachments', coalesce(m.attachments, '[]'), 'custom', coalesce(m.custom, '{}'),
      'created_at', wire_time(m.created_at), 'shadowed', m.seq = 0, 'author', evidence_of_user(app, m.user_id), 'channel', evidence_of_channel(app, channel))
    || case when m.updated_at is null then '{}' else jsonb_build_object('updated_at', wire_time(m.updated_at)) end
    || case when m.extras ? 'poll' then coalesce((
         select jsonb_build_object('poll', jsonb_build_object('question', p.question, 'options', p.options)) from polls p
         where p.app_id = app and p.channel_id = channel and p.message_id = message), '{}') else '{}' end
  from messages m where m.app_id = app and m.channel_id = channel and m.id = message
$$;
