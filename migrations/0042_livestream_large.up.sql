-- The channel type livestream of applications that were made before it was large, never changed it, and have no channel of it, becomes what
-- it is for new ones. Whoever uses it already keeps what its users are used to and sets `large` itself.
-- Locks: rows of channel_types. Time on 10 million rows: a minute.
update channel_types t set settings = '{"open": true, "large": true, "push": false}'
where t.type = 'livestream' and t.settings in ('{"open": true}', '{"open": true, "push": false}')
  and not exists (select from channels c where c.app_id = t.app_id and c.type = t.type);
