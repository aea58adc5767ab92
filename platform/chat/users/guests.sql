-- name: find_expired_guests
-- $1 now  $2 at most of an application  $3 at most
select app_id, user_id from find_expired_guests($1, $2, $3)

-- name: hold_expired_guest
-- $1 app  $2 user  $3 now.  No row: deleted meanwhile, or it came back, or the application keeps its guests now.
select u.id from users u join applications a on a.app_id = u.app_id
where u.app_id = $1 and u.user_id = $2 and is_expired_guest(u, a, $3) for update of u

-- name: forget_guest_revocations
-- $1 of those deleted before  $2 at most
select forget_guest_revocations($1, $2)
