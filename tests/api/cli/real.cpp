#include "tests/api/cli/real.h"

#include <catch2/catch.hpp>

#include "platform/base/id.h"

namespace chat::test {
namespace {

constexpr const char* kOperatorToken =
    "operator-of-the-tests-0123456789";  // as tests/support/service.cpp sets it

std::string local(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

}  // namespace

Real::Real(const std::string& prefix) : name(prefix + new_uuid7(system_clock().now()).text()) {
  auto& node = Service::get().node();
  stage.real = true;
  stage.write("token", std::string(kOperatorToken) + "\n");
  stage.environment["CHATCTL_SERVER"] = local(node.operator_port());
  stage.environment["CHATCTL_PUBLIC"] = local(node.public_port());
  stage.environment["CHATCTL_APP"] = name;
}

std::string Real::ok(const std::string& line) {
  const auto seen = stage.run_line(line);
  INFO(line << "\n" << seen.out << seen.err);
  CHECK(seen.exit == 0);
  return seen.out;
}

void Real::create() { ok("app create " + name + " --plan " + Service::kPlan + " --out-file app.secret"); }

}  // namespace chat::test
