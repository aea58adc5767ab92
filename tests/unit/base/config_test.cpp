#include "platform/base/config.h"

#include <catch2/catch.hpp>

#include "platform/base/text.h"
#include "tests/unit/base/scratch.h"

using namespace chat;
using namespace chat::config;
using chat::test::Scratch;
using Catch::Contains;
using namespace std::chrono_literals;

namespace {

const std::vector<Entry>& schema() {
  static const std::vector<Entry> entries = {
      {.key = "public.address", .fallback = "127.0.0.1", .meaning = "Where the public door listens."},
      {.key = "public.port", .type = Type::integer, .fallback = "8080", .meaning = "Its port.", .min = 0, .max = 65535},
      {.key = "public.body_bytes", .type = Type::bytes, .fallback = "64KiB", .meaning = "Largest body.", .min = 1024,
       .max = 16 << 20, .reload = Reload::yes},
      {.key = "public.tls.on", .type = Type::boolean, .fallback = "false", .meaning = "Whether to encrypt."},
      {.key = "database.dsn", .fallback = "", .meaning = "The database.", .secret = true},
      {.key = "database.timeout", .type = Type::duration, .fallback = "5s", .meaning = "Longest wait.", .min = 100,
       .max = 60'000, .reload = Reload::yes},
      {.key = "log.level", .type = Type::word, .fallback = "info", .meaning = "What is logged.",
       .words = {"debug", "info", "warn"}, .reload = Reload::yes},
      {.key = "hooks.allow", .type = Type::list, .fallback = "", .meaning = "Networks that may be called."},
      {.key = "name", .fallback = "null", .meaning = "A name: with \"odd\" signs # and more."},
  };
  return entries;
}

std::vector<std::string> mistakes(const std::optional<std::string>& file,
                                  const std::map<std::string, std::string>& environment = {},
                                  const std::map<std::string, std::string>& flags = {}) {
  try {
    load(schema(), file, environment, flags);
  } catch (const Invalid& invalid) {
    return text::split(invalid.what(), '\n');
  }
  return {"accepted"};
}

std::string all_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("config: without any source every key has its default", "[unit][base][config]") {
  const Settings settings = load(schema(), std::nullopt, {}, {});
  CHECK(settings.text("public.address") == "127.0.0.1");
  CHECK(settings.integer("public.port") == 8080);
  CHECK(settings.bytes("public.body_bytes") == 65536);
  CHECK_FALSE(settings.boolean("public.tls.on"));
  CHECK(settings.duration("database.timeout") == 5s);
  CHECK(settings.text("log.level") == "info");
  CHECK(settings.list("hooks.allow").empty());
  CHECK(settings.text("name") == "null");
  CHECK(settings.origin("public.port") == "default");
  CHECK(settings.warnings().empty());
}

TEST_CASE("config: flags beat environment, environment beats file, file beats default", "[unit][base][config]") {
  const Scratch scratch;
  const std::string file = scratch.write("chat.yaml",
                                         "public:\n  port: 1\n  address: file\n  body_bytes: 2KiB\n"
                                         "hooks:\n  allow: [a, \"b,c\"]\n");
  const Settings settings = load(schema(), file, {{"CHAT_PUBLIC__PORT", "2"}, {"CHAT_PUBLIC__ADDRESS", "env"}, {"HOME", "/"}},
                                 {{"public.port", "3"}});
  CHECK(settings.integer("public.port") == 3);
  CHECK(settings.origin("public.port") == "--public.port");
  CHECK(settings.text("public.address") == "env");
  CHECK(settings.origin("public.address") == "CHAT_PUBLIC__ADDRESS");
  CHECK(settings.bytes("public.body_bytes") == 2048);
  CHECK(settings.origin("public.body_bytes") == file + ":4:15");
  CHECK(settings.list("hooks.allow") == std::vector<std::string>{"a", "b,c"});
  CHECK(load(schema(), {}, {{"CHAT_HOOKS__ALLOW", "x, y"}}, {}).list("hooks.allow") == std::vector<std::string>{"x", "y"});
}

TEST_CASE("config: all mistakes of a file are told at once, each with its place", "[unit][base][config]") {
  const Scratch scratch;
  const std::string file = scratch.write("chat.yaml",
                                         "public:\n"
                                         "  prt: 1\n"
                                         "  port: 70000\n"
                                         "  port: 2\n"
                                         "  address: ~\n"
                                         "  body_bytes: 64\n"
                                         "  tls: yes\n"
                                         "database:\n"
                                         "  timeout: 30\n"
                                         "log:\n"
                                         "  level: inof\n"
                                         "hooks:\n"
                                         "  allow: a\n"
                                         "pubic:\n"
                                         "  port: 3\n"
                                         "port: 4\n"
                                         "whatever: 5\n"
                                         "name: [x]\n"
                                         "log.level: info\n");
  CHECK(mistakes(file) ==
        std::vector<std::string>{
            file + ":2:3: public.prt: unknown key; did you mean public.port?",
            file + ":4:3: public.port: duplicate key; first on line 3",
            file + ":5:12: public.address: has no value; remove the key, or write \"\" for an empty text",
            file + ":7:8: public.tls: must be a section of keys",
            file + ":13:10: hooks.allow: must be a list, such as [a, b]",
            file + ":14:1: pubic: unknown key; did you mean public?",
            file + ":16:1: port: unknown key; did you mean public.port?",
            file + ":17:1: whatever: unknown key",
            file + ":18:7: name: must be a single value",
            file + ":19:1: log.level: must be nested: a line for each part",
            file + ":9:12: database.timeout: must be a whole number with ms, s, m, h or d, such as 30s, is \"30\"",
            file + ":11:10: log.level: must be one of debug, info, warn; did you mean info?, is \"inof\"",
            file + ":6:15: public.body_bytes: must be from 1KiB to 16MiB, is \"64\"",
            file + ":3:9: public.port: must be from 0 to 65535, is \"70000\"",
        });
}

TEST_CASE("config: mistakes of several sources are told together", "[unit][base][config]") {
  const Scratch scratch;
  const std::string file = scratch.write("chat.yaml", "public: {port: x}\n");
  CHECK(mistakes(file, {{"CHAT_PUBLIC__PORT", "y"}}, {{"public.prot", "1"}, {"log.level", "loud"}}) ==
        std::vector<std::string>{
            "--public.prot: public.prot: unknown key; did you mean public.port?",
            file + ":1:16: public.port: must be a plain decimal integer, is \"x\"",
            "CHAT_PUBLIC__PORT: public.port: must be a plain decimal integer, is \"y\"",
            "--log.level: log.level: must be one of debug, info, warn, is \"loud\"",
        });
}

TEST_CASE("config: YAML's traps are refused", "[unit][base][config]") {
  const Scratch scratch;
  const std::pair<const char*, const char*> rows[] = {
      {"public: {port: 010}\n", "must be a plain decimal integer"},
      {"public: {port: 0x10}\n", "must be a plain decimal integer"},
      {"public: {port: 1_000}\n", "must be a plain decimal integer"},
      {"public: {port: 1e3}\n", "must be a plain decimal integer"},
      {"public: {port: }\n", "has no value"},
      {"public: {port: null}\n", "has no value"},
      {"public: {tls: {on: yes}}\n", "must be true or false"},
      {"public: {tls: {on: \"on\"}}\n", "must be true or false"},
      {"public: {port: !!str 1}\n", "must have no tag"},
      {"base: &b {port: 1}\npublic: {<<: *b}\n", "merge keys are not supported"},
      {"a: 1\n---\nb: 2\n", "must be one YAML document, has 2"},
      {"- a\n", "the file must be a mapping"},
      {"text\n", "the file must be a mapping"},
      {"? [a]\n: b\n", "a key must be a word"},
      {"public: {port: 1\n", "is not YAML"},
      {"public:\n\tport: 1\n", "is not YAML"},
      {"hooks: {allow: [a, ]}\nhooks: {}\n", "duplicate key; first on line 1"},
      {"hooks: {allow: [a, ~]}\n", "has no value"},
      {"hooks: {allow: [\"\"]}\n", "an item must be one line"},
      {"hooks: {allow: [[a]]}\n", "must be a single value"},
      {"name: \"\xFF\"\n", "is not UTF-8"},
      {"name: a\n\x04\npublic: {prot: 1}\n", ":2: has a control character"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK_THAT(all_of(mistakes(scratch.write("chat.yaml", text))), Contains(expected));
  }
}

TEST_CASE("config: syntax mistakes carry line and column counted from one", "[unit][base][config]") {
  const Scratch scratch;
  const std::string file = scratch.write("chat.yaml", "public:\n  port: [1\nname: x\n");
  const auto found = mistakes(file);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with(file + ":3:"));
}

TEST_CASE("config: an empty file, an empty section and quoted null are fine", "[unit][base][config]") {
  const Scratch scratch;
  for (const char* text : {"", "# nothing\n", "---\n", "public:\nlog:\n  # level: info\n"}) {
    INFO(text);
    CHECK(mistakes(scratch.write("chat.yaml", text)) == std::vector<std::string>{"accepted"});
  }
  CHECK(load(schema(), scratch.write("chat.yaml", "name: 'null'\r\n"), {}, {}).text("name") == "null");
  CHECK(load(schema(), scratch.write("chat.yaml", "name: \"\"\n"), {}, {}).text("name").empty());
  CHECK(load(schema(), scratch.write("chat.yaml", "name: 010\n"), {}, {}).text("name") == "010");
}

TEST_CASE("config: a file that cannot be read is one clear mistake", "[unit][base][config]") {
  const Scratch scratch;
  CHECK(mistakes(scratch.path("none.yaml")) == std::vector<std::string>{scratch.path("none.yaml") + ": cannot be opened"});
  CHECK(mistakes(scratch.path("")) == std::vector<std::string>{scratch.path("") + ": cannot be read"});
  CHECK_THAT(mistakes(scratch.write("big.yaml", std::string(2'000'000, '#')))[0], Contains("larger than 1 MiB"));
  CHECK_THAT(mistakes(scratch.write("deep.yaml", std::string(100'000, '[')))[0], Contains("is not YAML"));
}

TEST_CASE("config: unknown variables with our prefix are warned about", "[unit][base][config]") {
  const Settings settings = load(schema(), {}, {{"CHAT_PUBLIC__PROT", "1"}, {"CHAT_X", "1"}, {"CHATTER", "1"}}, {});
  CHECK(settings.warnings() ==
        std::vector<std::string>{"CHAT_PUBLIC__PROT: unknown variable, ignored; did you mean CHAT_PUBLIC__PORT?",
                                 "CHAT_X: unknown variable, ignored"});
}

TEST_CASE("config: the reference loads back as the defaults and explains every key", "[unit][base][config]") {
  const Scratch scratch;
  const std::string page = reference(schema());
  const Settings written = load(schema(), scratch.write("chat.default.yaml", page), {}, {});
  const auto difference = written.difference(load(schema(), {}, {}, {}));
  CHECK(difference.reloadable.empty());
  CHECK(difference.restart.empty());
  for (const Entry& entry : schema()) CHECK(written.origin(entry.key) != "default");
  CHECK_THAT(page, Contains("  # Largest body. From 1KiB to 16MiB. Takes effect on a reload.\n  body_bytes: 64KiB\n"));
  CHECK_THAT(page, Contains("public:\n") && Contains("  tls:\n") && Contains("    on: false\n"));
  CHECK_THAT(page, Contains("named by dsn_file.") && Contains("One of: debug, info, warn."));
}

TEST_CASE("config: printing shows origins, hides secrets and reads back", "[unit][base][config]") {
  const Scratch scratch;
  const std::map<std::string, std::string> odd = {{"name", "a: \"b\" # c\n"}, {"database.dsn", "password=x"},
                                                  {"hooks.allow", "10.0.0.0/8, b"}};
  const Settings settings = load(schema(), {}, {}, odd);
  const std::string page = settings.print();
  CHECK_THAT(page, Contains("  port: 8080  # default\n") && Contains("  dsn: \"********\"  # --database.dsn\n"));
  CHECK_THAT(page, !Contains("password"));
  const Settings again = load(schema(), scratch.write("printed.yaml", page), {}, {});
  CHECK(again.text("name") == "a: \"b\" # c\n");
  CHECK(again.list("hooks.allow") == settings.list("hooks.allow"));
  CHECK(again.difference(settings).restart == std::vector<std::string>{"database.dsn"});
}

TEST_CASE("config: keys of one section are gathered even when the schema scatters them", "[unit][base][config]") {
  const std::vector<Entry> scattered = {{.key = "a.x.one", .fallback = "1", .meaning = "One."},
                                        {.key = "b.two", .fallback = "2", .meaning = "Two."},
                                        {.key = "a.three", .fallback = "3", .meaning = "Three."},
                                        {.key = "a.x.four", .fallback = "4", .meaning = "Four."}};
  const Scratch scratch;
  const std::string page = reference(scattered);
  CHECK_NOTHROW(load(scattered, scratch.write("chat.yaml", page), {}, {}));
  CHECK_THAT(load(scattered, {}, {}, {}).print(),
             Contains("a:\n  x:\n    one: \"1\"") || Contains("a:\n  x:\n    one: 1"));
}

TEST_CASE("config: differences are split by what a reload can change", "[unit][base][config]") {
  const Settings before = load(schema(), {}, {}, {});
  const Settings after = load(schema(), {}, {}, {{"log.level", "warn"}, {"public.port", "1"}, {"name", "null"}});
  const auto difference = after.difference(before);
  CHECK(difference.reloadable == std::vector<std::string>{"log.level"});
  CHECK(difference.restart == std::vector<std::string>{"public.port"});
}

TEST_CASE("config: the environment of this process can be read", "[unit][base][config]") {
  setenv("CHAT_TEST_VALUE", "a=b", 1);
  CHECK(environment().at("CHAT_TEST_VALUE") == "a=b");
}
