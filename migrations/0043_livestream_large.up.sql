-- The channel type livestream of applications that were made before it was large, never changed it, and have no channel of it, becomes what
-- it is for new ones. Whoever uses it already keeps what its users are used to and sets `large` itself.
-- Locks: rows of channel_types. Time on 10 million rows: a minute.
update channel_types t set settings = '{"open": true, "large": true, "push": false}'
where t.type = 'livestream' and t.settings in ('{"open": true}', '{"open": true, "push": false}')
  and not exists (select from channels c where c.app_id = t.app_id and c.type = t.type);
comment on column channel_types.settings is 'What differs from the defaults of this version (channel_types.h). A default that changes for new applications is written into the rows of older ones, or not, by a migration.';
