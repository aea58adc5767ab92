-- name: find_table
-- No parameters; one row: whether this schema was ever migrated.
select to_regclass('schema_migrations') is not null

-- name: create_table
create table if not exists schema_migrations (
  number     int primary key,
  name       text not null,
  checksum   text not null,
  applied_at timestamptz not null default now()
)

-- name: grant_table
-- chatd reads it when it starts. The role is made outside of the migrations.
do $$
begin
  if exists (select from pg_roles where rolname = 'chat_server') then
    grant select on schema_migrations to chat_server;
  end if;
end
$$

-- name: list_applied
-- No parameters; in the order of their numbers.
select number, name, checksum, applied_at from schema_migrations order by number

-- name: try_lock
-- One row: whether this session has the lock now. It ends with the session.
select pg_try_advisory_lock(hashtext('chat.schema_migrations'))

-- name: add_applied
-- $1 number  $2 name  $3 checksum
insert into schema_migrations (number, name, checksum) values ($1, $2, $3)

-- name: remove_applied
-- $1 number
delete from schema_migrations where number = $1
