#include <catch2/catch.hpp>

#include <map>

#include "platform/storage/migrator.h"
#include "tests/shape/tree.h"
#include "tests/support/database.h"

// The data rules of the design, asked of PostgreSQL's own catalogue: whatever the migrations say, this is what stands.
namespace chat::test {
namespace {

// Tables that all applications share, each with its reason. Any other table without app_id is a mistake.
const std::map<std::string, std::string> kSharedTables = {
    {"operators", "who runs the service belongs to no application"},
    {"operator_audit", "what operators did stays, whatever becomes of the application it was done to"},
    {"operator_audit_head", "the end of that chain"},
    {"plans", "a plan belongs to the operator and is offered to many applications"},
    {"plan_versions", "a version of a plan is offered to many applications, and stays for their bills"},
    {"statement_numbers", "statements are numbered without gaps over the whole service"},
    {"schema_migrations", "the state of the schema itself"},
};

// Triggers, each with its reason. They see one row of one application and write beside it, so they stay within its shard.
const std::map<std::string, std::string> kTriggers = {
    {"chain_operator_audit", "nobody but the database says where in the chain a row stands"},
    {"keep_operator_audit", "the audit can only be added to, by the owner of the schema too"},
    {"keep_application_audit", "the same of what a customer changed"},
    {"keep_moderation_log", "the same of what moderators decided"},
    {"count_reaction", "counts that every way of removing a reaction must keep"},
    {"choose_plan_version", "applications are made and moved in several ways; each stays on the version of its plan that it came to"},
    {"choose_later_plan_version", "the same when it moves"},
    {"note_plan_move", "bills need the moment, whoever made or moved an application"},
    {"note_later_plan_move", "the same when it moves"},
    {"note_override_change", "bills need what an application's overrides were, whoever made it"},
    {"note_later_override_change", "the same when they change"},
    {"count_vote", "the same for the votes of a poll"},
    {"forget_message_parts", "what hangs on a message goes with it, however it goes"},
    {"forget_poll", "a poll goes with its message, however that goes"},
    {"follow_message_in_search", "many statements change a message; what it said must leave the index with each of them"},
    {"forget_message_in_search", "the same when its row goes"},
    {"forget_drafts", "the drafts in a message's thread go with it, however it goes"},
    {"queue_reaction_push", "push learns of a reaction in its transaction; the features below do not know of push"},
    {"queue_reminder_push", "the same of a reminder that was told"},
    {"queue_invite_push", "the same of an invitation"},
    {"keep_upload_uses", "many statements write a message; which files it holds must be true after each of them"},
    {"keep_changed_upload_uses", "the same when it changes"},
    {"forget_upload_uses", "the same when its row goes"},
    {"forget_upload_use", "a use goes with its message, its channel or its application; the last one makes the file due"},
    {"forget_uploads_of_user", "users are erased in several ways; what they brought and never sent goes with each"},
    {"forget_suggestions", "the same of what they suggested in the polls of others"},
    {"forget_user_events", "users are erased in several ways; what the bodies of events say of them goes with each"},
    {"keep_probation", "the same, and it is still on probation there"},
    {"settle_invite", "a user becomes a member in several ways; its invitation is answered by each of them"},
};

const char* const kTenantPolicy = "(app_id = (NULLIF(current_setting('chat.app_id'::text, true), ''::text))::uuid)";

// Tenant tables: those with app_id, partitions included.
const std::string kTenantTables =
    "(select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, a.attnum"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " join pg_attribute a on a.attrelid = c.oid and a.attname = 'app_id' and not a.attisdropped"
    " where n.nspname = 'public' and c.relkind in ('r', 'p'))";

// A database of its own, brought up by this binary's migrations.
Probe& catalogue() {
  struct Migrated {
    Migrated() { storage::Migrator(database.owner()).up(); }
    ScratchDatabase database;
  };
  static Migrated migrated;
  static Probe probe(migrated.database.superuser().dsn);
  return probe;
}

// Each row's first column; a query for what must not be.
std::string found(const std::string& sql) {
  std::vector<std::string> names;
  for (const auto& row : catalogue().rows(sql)) names.push_back(row.at(0));
  return listed(names);
}

}  // namespace

TEST_CASE("catalogue: a table without app_id is one of the shared ones", "[shape][db][tenancy]") {
  std::vector<std::string> mistakes;
  for (const auto& row : catalogue().rows(
           "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
           " where n.nspname = 'public' and c.relkind in ('r', 'p')"
           " and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'app_id' and not a.attisdropped)"))
    if (!kSharedTables.count(row.at(0))) mistakes.push_back(row.at(0) + ": has no app_id and no reason to be shared");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("catalogue: app_id is a uuid and never null", "[shape][db][tenancy]") {
  CHECK(catalogue().rows("select * from " + kTenantTables + " t").size() >= 15);
  CHECK(found("select t.relname from " + kTenantTables + " t join pg_attribute a on a.attrelid = t.oid and a.attnum = t.attnum"
              " where a.atttypid <> 'uuid'::regtype or not a.attnotnull") == "");
}

TEST_CASE("catalogue: app_id leads every index of a tenant table, and each has a primary key", "[shape][db][tenancy]") {
  CHECK(found("select i.indexrelid::regclass::text from " + kTenantTables + " t join pg_index i on i.indrelid = t.oid"
              " where i.indkey[0] <> t.attnum") == "");
  CHECK(found("select t.relname from " + kTenantTables + " t"
              " where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)") == "");
}

TEST_CASE("catalogue: a foreign key can't leave its tenant", "[shape][db][tenancy]") {
  CHECK(found("select k.conname || ' of ' || t.relname from " + kTenantTables + " t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'"
              " join " + kTenantTables + " target on target.oid = k.confrelid"
              " where k.conkey[1] <> t.attnum or k.confkey[1] <> target.attnum") == "");
  CHECK(found("select k.conname from pg_constraint k join " + kTenantTables + " target on target.oid = k.confrelid"
              " where k.contype = 'f' and not exists (select from " + kTenantTables + " t where t.oid = k.conrelid)") == "");
}

TEST_CASE("catalogue: row-level security is enabled and forced on every tenant table", "[shape][db][tenancy]") {
  CHECK(found("select relname from " + kTenantTables + " t where not relrowsecurity or not relforcerowsecurity") == "");
}

TEST_CASE("catalogue: the tenant policy is the only one that the server's role meets", "[shape][db][tenancy]") {
  const std::string policies =
      "(select t.relname, t.relispartition, p.polname, p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid) as qual,"
      " pg_get_expr(p.polwithcheck, p.polrelid) as with_check,"
      " (p.polroles = '{0}' or 'chat_server'::regrole = any (p.polroles)) as meets_server"
      " from " + kTenantTables + " t join pg_policy p on p.polrelid = t.oid)";
  CHECK(found("select t.relname from " + kTenantTables + " t where not t.relispartition and not exists (select from " + policies +
              " p where p.relname = t.relname and p.polname = 'tenant' and p.meets_server)") == "");
  CHECK(found("select polname || ' of ' || relname from " + policies + " p where meets_server and (relispartition or polname <> 'tenant'"
              " or polcmd <> '*' or not polpermissive or with_check is not null or qual <> $$" + kTenantPolicy + "$$)") == "");
}

TEST_CASE("catalogue: what hangs on a user is found by the user, so that erasing one reads no other's rows", "[shape][db]") {
  CHECK(catalogue().rows("select * from tenant_tables() where user_column is not null").size() >= 4);
  CHECK(found("select name from tenant_tables() t where user_column is not null and name not in ('messages', 'user_erasures')"
              " and not exists (select from pg_index i where i.indrelid = name::regclass"
              " and pg_get_indexdef(i.indexrelid, 1, true) = 'app_id' and pg_get_indexdef(i.indexrelid, 2, true) = 'user_id')") == "");
}

TEST_CASE("catalogue: what hangs on a channel calls it channel_id, so that purging one finds it", "[shape][db]") {
  CHECK(found("select conrelid::regclass || ' ' || conname from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid"
              " and a.attnum = k.conkey[2] where contype = 'f' and confrelid = 'channels'::regclass and conparentid = 0"
              " and a.attname <> 'channel_id'") == "");
}

TEST_CASE("catalogue: the server's role owns nothing and can't step around row-level security", "[shape][db][tenancy]") {
  CHECK(catalogue().value("select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication"
                          " from pg_roles where rolname = 'chat_server'") == "f");
  CHECK(found("select classid::regclass::text || ' ' || objid from pg_shdepend"
              " where deptype = 'o' and refclassid = 'pg_authid'::regclass and refobjid = 'chat_server'::regrole") == "");
  CHECK(found("select roleid::regrole::text from pg_auth_members where member = 'chat_server'::regrole") == "");
  CHECK(catalogue().value("select has_schema_privilege('chat_server', 'public', 'create')") == "f");
  // TRUNCATE asks no policy; REFERENCES and TRIGGER would let it look at what it can't see.
  CHECK(found("select relname from " + kTenantTables + " t where has_table_privilege('chat_server', t.oid, 'TRUNCATE')"
              " or has_table_privilege('chat_server', t.oid, 'REFERENCES') or has_table_privilege('chat_server', t.oid, 'TRIGGER')") == "");
  CHECK(found("select relname from " + kTenantTables + " t where relispartition"
              " and has_table_privilege('chat_server', t.oid, 'SELECT, INSERT, UPDATE, DELETE')") == "");
}

TEST_CASE("catalogue: views look with the eyes of who asks", "[shape][db][tenancy]") {
  CHECK(found("select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'"
              " and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)))") == "");
}

TEST_CASE("catalogue: SECURITY DEFINER functions fix their search_path and are not for everybody", "[shape][db][tenancy]") {
  const std::string definers =
      "(select p.oid, p.oid::regprocedure::text as name, p.proconfig, p.proacl from pg_proc p"
      " join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.prosecdef)";
  CHECK(catalogue().rows("select * from " + definers + " f").size() >= 4);
  CHECK(found("select name from " + definers + " f where not coalesce('search_path=public, pg_temp' = any (proconfig), false)") == "");
  CHECK(found("select name from " + definers + " f where proacl is null"
              " or exists (select from aclexplode(proacl) a where a.grantee = 0 and a.privilege_type = 'EXECUTE')") == "");
}

TEST_CASE("catalogue: a job claims no more than it asked for: what limits itself is no subquery that may be asked again", "[shape][db]") {
  const std::string claims = " from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and ";
  CHECK(found("select p.proname" + claims + R"(p.prosrc ~* '\min\s*\(\s*select([^()]|\(([^()]|\([^()]*\))*\))*\mlimit\M([^()]|\(([^()]|\([^()]*\))*\))*skip locked\s*\)')") == "");
  CHECK(catalogue().rows("select p.proname" + claims + "p.prosrc ~* 'as materialized\\s*\\([^;]*skip locked'").size() >= 5);
}

TEST_CASE("catalogue: no enum types, no sequences, no triggers but those with a reason", "[shape][db]") {
  CHECK(found("select t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname = 'public' and t.typtype = 'e'") == "");
  CHECK(found("select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'S'") == "");
  std::vector<std::string> mistakes;
  for (const auto& row : catalogue().rows("select distinct tgname from pg_trigger where not tgisinternal"))
    if (!kTriggers.count(row.at(0))) mistakes.push_back(row.at(0) + ": a trigger without a reason");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("catalogue: triggers on inserts are silent while an application is imported", "[shape][db]") {
  CHECK(catalogue().rows("select * from pg_trigger where position('chat.importing' in pg_get_triggerdef(oid)) > 0").size() >= 5);
  CHECK(found("select tgrelid::regclass || ' ' || tgname || ': its migration must call silence_in_imports' from pg_trigger join " + kTenantTables + " t on t.oid = tgrelid"
              " where not tgisinternal and tgtype & 4 = 4 and position('chat.importing' in pg_get_triggerdef(pg_trigger.oid)) = 0") == "");
}

TEST_CASE("catalogue: messages are partitioned by id without a default partition, this month and the next stand ready", "[shape][db]") {
  CHECK(catalogue().value("select pg_get_partkeydef('messages'::regclass)") == "RANGE (id)");
  CHECK(catalogue().value("select partdefid from pg_partitioned_table where partrelid = 'messages'::regclass") == "0");
  CHECK(catalogue().value("select to_regclass('messages_' || to_char(now() at time zone 'UTC', 'YYYY_MM')) is not null"
                          " and to_regclass('messages_' || to_char(now() at time zone 'UTC' + interval '1 month', 'YYYY_MM')) is not null") == "t");
}

}  // namespace chat::test
