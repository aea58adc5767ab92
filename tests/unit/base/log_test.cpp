#include "platform/base/log.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>
#include <vector>

#include "platform/base/json.h"
#include "platform/base/text.h"

using namespace chat;

namespace {

/// Standard error goes to a file while this lives.
class Capture {
 public:
  Capture() : saved_(dup(STDERR_FILENO)), file_(std::tmpfile()) { dup2(fileno(file_), STDERR_FILENO); }
  ~Capture() {
    stop();
    std::fclose(file_);
  }
  std::vector<std::string> lines() {
    stop();
    std::string text;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) text += static_cast<char>(c);
    auto lines = text::split(text, '\n');
    REQUIRE(lines.back().empty());
    lines.pop_back();
    return lines;
  }

 private:
  void stop() {
    log::set_level(log::Level::off);
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    saved_ = -1;
  }
  int saved_;
  std::FILE* file_;
};

}  // namespace

TEST_CASE("log: an event is one JSON line with its fields in order", "[unit][base][log]") {
  Capture capture;
  log::set_level(log::Level::info);
  log::warn("config.reloaded", {{"file", "a\"b\n"}, {"count", 3}, {"size", std::size_t{9}}, {"who", std::string("me")}});
  const auto lines = capture.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with(R"({"at":"20)"));
  CHECK(lines[0].ends_with(R"(Z","level":"warn","event":"config.reloaded","file":"a\"b\n","count":3,"size":9,"who":"me"})"));
  CHECK_NOTHROW(json::Document::parse(lines[0]));
}

TEST_CASE("log: what is below the level is not written", "[unit][base][log]") {
  Capture capture;
  log::set_level(log::Level::warn);
  log::debug("a.a");
  log::info("a.b");
  log::warn("a.c");
  log::error("a.d");
  log::set_level(log::Level::off);
  log::error("a.e");
  const auto lines = capture.lines();
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Catch::Contains("a.c"));
  CHECK_THAT(lines[1], Catch::Contains("a.d"));
}

TEST_CASE("log: broken UTF-8 and endless texts cannot break a line", "[unit][base][log]") {
  Capture capture;
  log::set_level(log::Level::info);
  log::info("http.refused", {{"broken", "a\xFFz"}});
  log::info("http.refused", {{"long", std::string(100'000, 'x')}});
  std::string cut_in_a_character(8191, 'x');
  log::info("http.refused", {{"cut", cut_in_a_character + "é"}});
  const auto lines = capture.lines();
  REQUIRE(lines.size() == 3);
  CHECK(json::Document::parse(lines[0]).root().find("broken")->text() == "a?z");
  CHECK(lines[1].size() < 9000);
  for (const auto& line : lines) CHECK_NOTHROW(json::Document::parse(line));
}

TEST_CASE("log: lines of several threads never mix", "[unit][base][log]") {
  Capture capture;
  log::set_level(log::Level::info);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) log::info("a.line", {{"thread", t}, {"text", std::string(100, 'x')}});
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = capture.lines();
  CHECK(lines.size() == 2000);
  for (const auto& line : lines) REQUIRE_NOTHROW(json::Document::parse(line));
}

TEST_CASE("log: levels are read by their words", "[unit][base][log]") {
  CHECK(log::parse_level("debug") == log::Level::debug);
  CHECK(log::parse_level("info") == log::Level::info);
  CHECK(log::parse_level("warn") == log::Level::warn);
  CHECK(log::parse_level("error") == log::Level::error);
  CHECK(log::parse_level("off") == log::Level::off);
  CHECK(log::parse_level("loud") == log::Level::info);
}
