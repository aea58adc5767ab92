#pragma once
#include <string>

#include "tests/api/cli/stage.h"
#include "tests/support/service.h"

namespace chat::test {

/// A stage whose curtain is up: libcurl, Boost.Beast and the node of this process, both doors; and a name for an
/// application that is not made yet.
struct Real {
  Stage stage;
  std::string name;

  explicit Real(const std::string& prefix = "cli-");
  std::string ok(const std::string& line);     // stdout; fails the test when it exits with another code than 0
  int fails(const std::string& line) { return stage.run_line(line).exit; }
  void create();                               // on the unlimited plan; its secret in app.secret
  Json show() { return Json::parse(ok("app show -o json")); }
};

}  // namespace chat::test
