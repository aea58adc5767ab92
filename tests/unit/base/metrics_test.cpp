#include "platform/base/metrics.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

using namespace chat;
using Catch::Contains;

TEST_CASE("metrics: the same name and labels are the same object", "[unit][base][metrics]") {
  auto& first = metrics::counter("chat_test_same_total", "Help.", {{"a", "1"}, {"b", "2"}});
  auto& again = metrics::counter("chat_test_same_total", "Help.", {{"b", "2"}, {"a", "1"}});
  auto& other = metrics::counter("chat_test_same_total", "Help.", {{"a", "2"}, {"b", "2"}});
  CHECK(&first == &again);
  CHECK(&first != &other);
  first.add();
  again.add(2);
  CHECK(first.value() == 3);
}

TEST_CASE("metrics: counters, gauges and histograms are exposed", "[unit][base][metrics]") {
  metrics::counter("chat_test_sent_total", "Messages sent.", {{"result", "ok"}}).add(5);
  metrics::gauge("chat_test_open", "Open things.").set(2);
  metrics::gauge("chat_test_open", "Open things.").add(-0.5);
  metrics::histogram("chat_test_seconds", "Time.").observe(0.003);
  metrics::histogram("chat_test_own_seconds", "Time.", {{"q", "x"}}, {1, 2}).observe(1.5);
  const std::string text = metrics::expose();
  CHECK_THAT(text, Contains("# HELP chat_test_sent_total Messages sent.\n# TYPE chat_test_sent_total counter\n"
                            "chat_test_sent_total{result=\"ok\"} 5\n"));
  CHECK_THAT(text, Contains("chat_test_open 1.5\n"));
  CHECK_THAT(text, Contains("chat_test_seconds_bucket{le=\"0.0025\"} 0\n") &&
                       Contains("chat_test_seconds_bucket{le=\"0.005\"} 1\n") && Contains("chat_test_seconds_count 1\n"));
  CHECK_THAT(text, Contains("chat_test_own_seconds_bucket{q=\"x\",le=\"2\"} 1\n"));
}

TEST_CASE("metrics: the surplus of labels shares one child and is counted", "[unit][base][metrics]") {
  for (std::size_t i = 0; i < metrics::kMaxChildren; ++i) {
    metrics::counter("chat_test_many_total", "Help.", {{"who", std::to_string(i)}}).add();
  }
  auto& one = metrics::counter("chat_test_many_total", "Help.", {{"who", "too much"}});
  auto& two = metrics::counter("chat_test_many_total", "Help.", {{"who", "more"}});
  CHECK(&one == &two);
  one.add(7);
  CHECK(&metrics::counter("chat_test_many_total", "Help.", {{"who", "3"}}) != &one);
  const std::string text = metrics::expose();
  CHECK_THAT(text, Contains("chat_test_many_total{who=\"__other__\"} 7\n"));
  CHECK_THAT(text, Contains("chat_metrics_dropped_series_total{metric=\"chat_test_many_total\"} 2\n"));
}

TEST_CASE("metrics: samples are read at the scrape, until forgotten", "[unit][base][metrics]") {
  double depth = 4;
  metrics::collect("chat_test_depth", "Waiting.", metrics::Type::gauge, [&] {
    return std::vector<metrics::Sample>{{{{"lane", "0"}}, depth}, {{{"lane", "1\"\\\n"}}, 1}};
  });
  CHECK_THAT(metrics::expose(), Contains("# TYPE chat_test_depth gauge\nchat_test_depth{lane=\"0\"} 4\n"));
  depth = 5;
  CHECK_THAT(metrics::expose(), Contains("chat_test_depth{lane=\"0\"} 5\n") && Contains("lane=\"1\\\"\\\\\\n\""));
  metrics::forget_collected();
  CHECK_THAT(metrics::expose(), !Contains("chat_test_depth"));
}

TEST_CASE("metrics: a reader that fails costs only its own family", "[unit][base][metrics]") {
  metrics::collect("chat_test_broken", "Broken.", metrics::Type::gauge,
                   []() -> std::vector<metrics::Sample> { throw std::runtime_error("no database"); });
  metrics::collect("chat_test_fine", "Fine.", metrics::Type::counter,
                   [] { return std::vector<metrics::Sample>{{{}, 1}}; });
  const std::string text = metrics::expose();
  CHECK_THAT(text, !Contains("chat_test_broken") && Contains("chat_test_fine 1\n"));
  metrics::forget_collected();
}

TEST_CASE("metrics: collected samples are bounded too", "[unit][base][metrics]") {
  metrics::collect("chat_test_flood", "Flood.", metrics::Type::gauge, [] {
    std::vector<metrics::Sample> samples;
    for (int i = 0; i < 600; ++i) samples.push_back({{{"i", std::to_string(i)}}, 1});
    return samples;
  });
  const std::string text = metrics::expose();
  CHECK_THAT(text, Contains("chat_test_flood{i=\"499\"}") && !Contains("chat_test_flood{i=\"500\"}"));
  CHECK_THAT(text, Contains("chat_metrics_dropped_series_total{metric=\"chat_test_flood\"} 100\n"));
  metrics::forget_collected();
}

TEST_CASE("metrics: the process describes itself", "[unit][base][metrics]") {
  const std::string text = metrics::expose();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                           "process_open_fds", "process_max_fds", "process_start_time_seconds"}) {
    INFO(name);
    const auto at = text.find("\n" + std::string(name) + " ");
    REQUIRE(at != std::string::npos);
    CHECK(std::stod(text.substr(at + 2 + std::string(name).size())) > 0);
  }
  const auto at = text.find("\nprocess_start_time_seconds ");
  const double started = std::stod(text.substr(at + 28));
  CHECK(std::abs(static_cast<double>(std::time(nullptr)) - started) < 600);
}

TEST_CASE("metrics: many threads may look up, count and scrape at once", "[unit][base][metrics]") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) {
        metrics::counter("chat_test_busy_total", "Help.", {{"i", std::to_string(i % 10)}}).add();
        if (i % 50 == 0) metrics::expose();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  double sum = 0;
  for (int i = 0; i < 10; ++i) sum += metrics::counter("chat_test_busy_total", "Help.", {{"i", std::to_string(i)}}).value();
  CHECK(sum == 800);
}

TEST_CASE("metrics: promtool finds nothing wrong with the exposition", "[unit][base][metrics]") {
  if (access("/usr/bin/promtool", X_OK) != 0) {
    WARN("promtool is not installed (Debian package prometheus)");
    return;
  }
  metrics::counter("chat_test_lint_total", "Counted things.", {{"kind", "a\"b"}}).add();
  metrics::gauge("chat_test_lint_bytes", "Bytes held.").set(1e9);
  metrics::histogram("chat_test_lint_seconds", "Seconds taken.").observe(0.1);
  metrics::collect("chat_test_lint_connections", "Connections.", metrics::Type::gauge,
                   [] { return std::vector<metrics::Sample>{{{{"door", "public"}}, 3}}; });
  char path[] = "/tmp/chat_metrics_XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0);
  close(fd);
  std::ofstream(path) << metrics::expose();
  CHECK(std::system((std::string("/usr/bin/promtool check metrics < ") + path).c_str()) == 0);
  unlink(path);
  metrics::forget_collected();
}
