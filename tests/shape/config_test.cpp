#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <set>

#include "platform/base/config.h"
#include "platform/server/settings.h"
#include "tests/shape/tree.h"

namespace chat::test {
namespace {

const char* const kReference = "ops/config/chat.default.yaml";

}  // namespace

// CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests "[config]" brings the page up to date.
TEST_CASE("config: ops/config/chat.default.yaml is the schema's own reference", "[shape][config]") {
  const std::string reference = config::reference(server::settings_schema());
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr)
    std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kReference, std::ios::binary) << reference;
  REQUIRE(exists(kReference));
  CHECK(read_file(kReference) == reference);
}

TEST_CASE("config: the reference is a configuration that loads, and gives the defaults", "[shape][config]") {
  const auto schema = server::settings_schema();
  const auto bare = config::load(schema, std::nullopt, {}, {});
  const auto written = config::load(schema, std::string(CHAT_SOURCE_DIR "/") + kReference, {}, {});
  const auto difference = written.difference(bare);
  CHECK(difference.reloadable.empty());
  CHECK(difference.restart.empty());
}

TEST_CASE("config: every key says what it is, once", "[shape][config]") {
  std::set<std::string> keys;
  std::vector<std::string> mistakes;
  for (const config::Entry& entry : server::settings_schema()) {
    if (!keys.insert(entry.key).second) mistakes.push_back(entry.key + ": stands twice");
    if (entry.meaning.size() < 10) mistakes.push_back(entry.key + ": says too little");
    if (entry.type == config::Type::word && entry.words.empty()) mistakes.push_back(entry.key + ": has no words");
  }
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
