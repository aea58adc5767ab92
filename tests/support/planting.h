#pragma once
#include <string>
#include <vector>

#include "platform/base/id.h"
#include "tests/support/database.h"

/// A row for every tenant table that there is, whatever it is for.
namespace chat::test {

inline std::vector<std::string> tenant_tables(Probe& superuser) {
  std::vector<std::string> names;
  for (const auto& row : superuser.rows(
           "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'app_id'"
           " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1"))
    names.push_back(row.at(0));
  return names;
}

/// A value that the column takes. Where a CHECK lists words, the first of them.
inline std::string value_for(const std::string& type, const std::string& word) {
  if (!word.empty()) return "'" + word + "'";
  if (type.ends_with("[]")) return "'{}'";
  if (type == "uuid") return "'" + new_uuid7(system_clock().now()).text() + "'";
  if (type == "text") return "'x'";
  if (type == "jsonb") return "'{}'";
  if (type == "bytea") return "'\\x00'";
  if (type == "boolean") return "false";
  if (type == "date") return "current_date";
  if (type == "timestamp with time zone") return "now()";
  return "1";
}

/// Puts a row of `app` into the table, around every rule; gives it as JSON. The probe is a superuser's whose
/// session_replication_role is replica: rows go in without their parents.
inline std::string plant(Probe& superuser, const std::string& table, const std::string& app) {
  std::string columns, values;
  for (const auto& column : superuser.rows(
           "select a.attname, format_type(a.atttypid, null), coalesce((select (regexp_match(pg_get_constraintdef(k.oid),"
           " '\\(' || a.attname || ' = ANY \\(ARRAY\\[''([^'']+)'''))[1] from pg_constraint k where k.conrelid = a.attrelid"
           " and k.contype = 'c' and a.attnum = any (k.conkey) limit 1), '') from pg_attribute a where a.attrelid = '" + table +
           "'::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull and not a.atthasdef")) {
    columns += (columns.empty() ? "" : ", ") + column.at(0);
    values += (values.empty() ? "" : ", ") + (column.at(0) == "app_id" ? "'" + app + "'" : value_for(column.at(1), column.at(2)));
  }
  superuser.run("insert into " + table + " (" + columns + ") values (" + values + ")");
  return superuser.value("select to_jsonb(t) from " + table + " t where app_id = '" + app + "'");
}

}  // namespace chat::test
