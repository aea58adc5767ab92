#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "platform/base/config_parts.h"
#include "tests/unit/base/scratch.h"

using namespace chat;
using namespace chat::config;
using chat::test::Scratch;
using Catch::Contains;

namespace {
const std::vector<Entry>& schema() {
  static const std::vector<Entry> entries = {
      {.key = "database.dsn", .fallback = "dbname=chat", .meaning = "The database.", .secret = true},
      {.key = "port", .type = Type::integer, .fallback = "1", .meaning = "A port."}};
  return entries;
}
std::string refusal(const std::optional<std::string>& file, const std::map<std::string, std::string>& environment = {},
                    const std::map<std::string, std::string>& flags = {}) {
  try {
    load(schema(), file, environment, flags);
  } catch (const Invalid& invalid) {
    return invalid.what();
  }
  return "accepted";
}
}  // namespace

TEST_CASE("config: a secret may come from a file, from every source", "[unit][base][config]") {
  const Scratch scratch;
  const std::string secret = scratch.write("dsn", "host=/run\n", 0600);
  const std::string file = scratch.write("chat.yaml", "database:\n  dsn_file: " + secret + "\n", 0644);
  const Settings from_file = load(schema(), file, {}, {});
  CHECK(from_file.text("database.dsn") == "host=/run");
  CHECK(from_file.origin("database.dsn") == file + ":2:13");
  CHECK(load(schema(), {}, {{"CHAT_DATABASE__DSN_FILE", secret}}, {}).text("database.dsn") == "host=/run");
  CHECK(load(schema(), {}, {}, {{"database.dsn_file", secret}}).text("database.dsn") == "host=/run");
  CHECK_THAT(from_file.print(), !Contains("host=/run") && Contains("********"));
}

TEST_CASE("config: only one line end is taken off a secret", "[unit][base][config]") {
  const Scratch scratch;
  std::string wrong;
  CHECK(read_secret(scratch.write("a", "x", 0600), wrong) == "x");
  CHECK(read_secret(scratch.write("b", "x\n", 0400), wrong) == "x");
  CHECK(read_secret(scratch.write("c", " x \r\n", 0600), wrong) == " x ");
  CHECK(read_secret(scratch.write("d", "x\n\n", 0600), wrong) == "x\n");
  CHECK(wrong.empty());
}

TEST_CASE("config: a secret's file that others can use, or that is odd, is refused", "[unit][base][config]") {
  const Scratch scratch;
  const auto why = [](const std::string& path) {
    std::string wrong;
    CHECK_FALSE(read_secret(path, wrong).has_value());
    return wrong;
  };
  for (const mode_t mode : {0640, 0604, 0644, 0660, 0666, 0610, 0601}) {
    CHECK_THAT(why(scratch.write("open", "x", mode)), Contains("chmod it to 0600"));
  }
  CHECK_THAT(why(scratch.write("empty", "\n", 0600)), Contains("is empty"));
  CHECK_THAT(why(scratch.write("large", std::string(70'000, 'x'), 0600)), Contains("larger than"));
  CHECK_THAT(why(scratch.path("missing")), Contains("No such file"));
  CHECK_THAT(why(scratch.path("")), Contains("not a plain file"));
  REQUIRE(mkfifo(scratch.path("fifo").c_str(), 0600) == 0);
  CHECK_THAT(why(scratch.path("fifo")), Contains("not a plain file"));
}

TEST_CASE("config: one source that says a secret and its file is refused", "[unit][base][config]") {
  const Scratch scratch;
  const std::string secret = scratch.write("dsn", "x", 0600);
  const std::string file = scratch.write("chat.yaml", "database:\n  dsn: a\n  dsn_file: " + secret + "\n", 0600);
  CHECK(refusal(file) == file + ":3:13: database.dsn_file: stands beside database.dsn; keep one of the two");
  CHECK_THAT(refusal({}, {{"CHAT_DATABASE__DSN", "a"}, {"CHAT_DATABASE__DSN_FILE", secret}}), Contains("keep one"));
  CHECK_THAT(refusal({}, {}, {{"database.dsn", "a"}, {"database.dsn_file", secret}}), Contains("keep one"));
}

TEST_CASE("config: a stronger source replaces a secret's file and the other way round", "[unit][base][config]") {
  const Scratch scratch;
  const std::string secret = scratch.write("dsn", "from the secret", 0600);
  const std::string by_file = scratch.write("a.yaml", "database: {dsn_file: " + secret + "}\n", 0600);
  const std::string by_text = scratch.write("b.yaml", "database: {dsn: text}\n", 0600);
  CHECK(load(schema(), by_file, {{"CHAT_DATABASE__DSN", "env"}}, {}).text("database.dsn") == "env");
  CHECK(load(schema(), by_text, {{"CHAT_DATABASE__DSN_FILE", secret}}, {}).text("database.dsn") == "from the secret");
}

TEST_CASE("config: a secret never stands in a mistake", "[unit][base][config]") {
  const std::vector<Entry> words = {
      {.key = "key", .type = Type::integer, .fallback = "1", .meaning = "A number.", .secret = true}};
  try {
    load(words, {}, {{"CHAT_KEY", "hunter2"}}, {});
    FAIL("accepted");
  } catch (const Invalid& invalid) {
    CHECK_THAT(invalid.what(), !Contains("hunter2") && Contains("CHAT_KEY: key: must be"));
  }
}

TEST_CASE("config: only secrets have a file form", "[unit][base][config]") {
  CHECK_THAT(refusal({}, {}, {{"port_file", "x"}}), Contains("unknown key"));
}
