-- name: get_stored
-- $1 app.  No row: never set.
select rules_version, rules::text, rules_at, classifier::text, classifier_created_at, classifier_updated_at from screening_settings where app_id = $1

-- name: lock_stored
-- $1 app.  Whoever changes at once waits here.
select 1 from applications where app_id = $1 for no key update

-- name: put_rules
-- $1 app  $2 rules  $3 now
insert into screening_settings (app_id, version, rules_version, rules, rules_at) values ($1, 1, 1, $2, $3)
on conflict (app_id) do update set version = screening_settings.version + 1, rules_version = screening_settings.rules_version + 1,
  rules = excluded.rules, rules_at = excluded.rules_at

-- name: put_classifier
-- $1 app  $2 classifier  $3 sealed key, hex; NULL: the one that there is  $4 now
insert into screening_settings (app_id, version, classifier, sealed, classifier_created_at, classifier_updated_at)
values ($1, 1, $2, coalesce(decode($3, 'hex'), (select o.sealed from screening_settings o where o.app_id = $1)), $4, $4)
on conflict (app_id) do update set version = screening_settings.version + 1, classifier = excluded.classifier,
  sealed = excluded.sealed,
  classifier_created_at = coalesce(screening_settings.classifier_created_at, excluded.classifier_created_at),
  classifier_updated_at = excluded.classifier_updated_at

-- name: delete_classifier
-- $1 app.  No row: there is none.
update screening_settings set version = version + 1, classifier = null, sealed = null, classifier_created_at = null, classifier_updated_at = null
where app_id = $1 and classifier is not null
returning 1

-- name: read_author
-- $1 app  $2 user_id  $3 channel type  $4 channel id.  No row: no such user.
select u.created_at, m.created_at, m.role, u.teams ->> c.team, m.user_id is not null or coalesce((t.settings ->> 'open')::boolean, false)
from users u
left join channels c on c.app_id = $1 and c.type = $3 and c.channel_id = $4 and c.deleted_at is null
left join channel_types t on t.app_id = $1 and t.type = c.type
left join channel_members m on m.app_id = $1 and m.channel_id = c.id and m.user_id = u.id
where u.app_id = $1 and u.user_id = $2 and u.deleted_at is null

-- name: find_ban
-- $1 app  $2 user_id  $3 channel.  A row: some ban holds there already.
select 1 from bans_in_force b join users u on u.app_id = $1 and u.id = b.user_id
where b.app_id = $1 and u.user_id = $2 and (b.channel_id = $3 or b.channel_id is null) limit 1
