#pragma once
#include <string>

#include "tests/support/planting.h"
#include "tests/support/service.h"

/// An application as operators see it.
namespace chat::test {

inline std::string path_of(const std::string& app_id, const std::string& more = "") { return "/operator/v1/applications/" + app_id + more; }
inline std::string path_of(const TestApp& app, const std::string& more = "") { return path_of(app.id(), more); }
inline std::string uuid_of(const std::string& app_id) { return AppId::parse(app_id)->text(); }
inline std::string uuid_of(const TestApp& app) { return uuid_of(app.id()); }

/// The tables that hold rows of it, each with a space behind.
inline std::string leftovers(Probe& superuser, const std::string& uuid) {
  std::string tables;
  for (const auto& table : tenant_tables(superuser))
    if (superuser.value("select count(*) from " + table + " where app_id = '" + uuid + "'") != "0") tables += table + " ";
  return tables;
}

}  // namespace chat::test
