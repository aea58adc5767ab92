#include <catch2/catch.hpp>

#include <set>

#include "billing/features.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// What a plan may switch off: each call that changes something says so in the contract (x-feature), and the gate asks for the same.
namespace chat::test {
namespace {

std::string asked_for(const std::string& operation) {
  const auto feature = billing::feature_of(operation);
  return feature ? std::string(billing::word(*feature)) : "none";
}

}  // namespace

TEST_CASE("contract: each call of customers that changes something says which feature of the plan it needs, and the gate asks for that",
          "[shape][contract][plans]") {
  std::vector<std::string> mistakes;
  for (const Operation& operation : Contract::get().operations()) {
    const std::string said = operation.node->value("x-feature", "");
    const bool must_say = operation.door == "public" && operation.method != "GET";
    if (!must_say && said.empty()) continue;
    if (said != asked_for(operation.id))
      mistakes.push_back(operation.id + ": x-feature is '" + said + "', and billing/features.cpp asks for " + asked_for(operation.id));
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: each feature that a plan may switch off is asked for by some call", "[shape][contract][plans]") {
  std::set<std::string> used;
  for (const Operation& operation : Contract::get().operations()) used.insert(asked_for(operation.id));
  std::vector<std::string> mistakes;
  for (int i = 0; i < billing::kFeatures; ++i)
    if (const std::string word(billing::word(static_cast<billing::Feature>(i))); !used.count(word)) mistakes.push_back(word + ": no operation asks for it");
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
