#include "ops/benchmarks/blocklists.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <set>

#include "ops/benchmarks/samples.h"
#include "platform/matching/matcher.h"

namespace chat::bench {
namespace {

using matching::Folding;
using matching::Kind;
using matching::Matcher;
using matching::Pattern;

constexpr std::size_t kMessageBytes = 1'024;
constexpr std::size_t kTexts = 500;            // different ones, asked in turn
const std::vector<std::string> kLatin{"a", "b", "c", "d", "e", "e", "f", "g", "h", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "v", "w", "y", "z"};
const std::vector<std::string> kCyrillic{"а", "б", "в", "г", "д", "е", "ж", "з", "и", "к", "л", "м", "н", "о", "п", "р", "с", "т", "у", "ч", "ш", "я"};
/// 2,000 of them, as in daily use.
std::vector<std::string> han() {
  std::vector<std::string> all;
  for (int i = 0; i < 2'000; ++i) {
    const int point = 0x4E00 + i * 7;
    all.push_back({static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3F)), static_cast<char>(0x80 | (point & 0x3F))});
  }
  return all;
}
const std::vector<std::string> kHan = han();

/// Of this thread alone: what others do on the machine meanwhile is not the lists' cost.
std::int64_t cpu_nanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

class Author {
 public:
  explicit Author(std::uint32_t seed) : random_(seed) {}
  std::string word(const std::vector<std::string>& letters, std::size_t min, std::size_t max) {
    std::string out;
    for (auto left = min + random_() % (max - min + 1); left > 0; --left) out += letters[random_() % letters.size()];
    return out;
  }
  /// `listed`: one word in so many is an entry; 0: none is meant to be.
  std::string message(const std::vector<std::string>& entries, std::size_t listed, bool mixed, bool spaced) {
    std::string out;
    while (out.size() < kMessageBytes) {
      const auto dice = random_();
      if (listed > 0 && dice % listed == 0) out += spaced ? apart(entries[random_() % entries.size()]) : entries[random_() % entries.size()];
      else if (mixed && dice % 3 == 0) out += word(kCyrillic, 2, 9);
      else if (mixed && dice % 3 == 1) out += word(kHan, 1, 6);
      else out += word(kLatin, 2, 9);
      out += dice % 11 == 0 ? ", " : " ";
    }
    return out;
  }
  std::vector<std::string> entries(std::size_t count) {
    std::set<std::string> all;
    while (all.size() < count) {
      const auto dice = random_() % 10;
      all.insert(dice < 7 ? word(kLatin, 4, 12) : dice < 9 ? word(kCyrillic, 4, 10) : word(kHan, 2, 4));
    }
    std::vector<std::string> out(all.begin(), all.end());
    std::shuffle(out.begin(), out.end(), random_);
    return out;
  }

 private:
  static std::string apart(const std::string& word) {
    std::string out;
    for (const char c : word) {
      if (!out.empty() && (static_cast<unsigned char>(c) & 0xC0) != 0x80) out += '.';
      out += c;
    }
    return out;
  }
  std::mt19937 random_;
};

double milliseconds_of(const std::function<void()>& act) {
  const auto began = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

std::unique_ptr<Matcher> compiled(const std::vector<std::string>& entries, const Folding& folding, const Matcher* before = nullptr) {
  std::vector<Pattern> patterns;
  for (const auto& entry : entries) patterns.push_back({entry, Kind::words, folding});
  std::vector<Matcher::Failure> failures;
  auto matcher = std::make_unique<Matcher>(patterns, failures, before);
  if (!failures.empty()) throw Failure("an entry could not be compiled");
  return matcher;
}

void measure(json::Writer& out, const char* name, const Matcher& matcher, const std::vector<std::string>& texts, std::int64_t seconds) {
  Samples samples;
  std::size_t finds = 0;
  std::vector<matching::Found> found;
  for (const auto& text : texts) {             // tables are made, caches warm
    matcher.find(matching::Text(text), found);
    found.clear();
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  do {
    for (const auto& text : texts) {
      const auto began = cpu_nanos();
      const matching::Text read(text);
      matcher.find(read, found);
      samples.add(cpu_nanos() - began);
      finds += found.size();
      found.clear();
    }
  } while (std::chrono::steady_clock::now() < end);
  const auto micros = [&](double percent) { return samples.percentile(percent) * 1'000; };
  out.key(name).object().key("p50_us").number(micros(50)).key("p99_us").number(micros(99)).key("max_us").number(micros(100))
      .key("finds_per_message").number(static_cast<double>(finds) / static_cast<double>(samples.size())).end();
}

}  // namespace

void run_blocklists(Flags& flags) {
  const auto count = static_cast<std::size_t>(flags.number("entries", 50'000));
  const auto seconds = flags.number("seconds", 2);
  flags.finish();
  Author author(1);
  auto entries = author.entries(count);
  std::unique_ptr<Matcher> matcher, changed;
  const auto compile_ms = milliseconds_of([&] { matcher = compiled(entries, {}); });
  auto one_more = entries;
  one_more.push_back("quitenewword");
  const auto change_ms = milliseconds_of([&] { changed = compiled(one_more, {}, matcher.get()); });
  const auto all_tricks = compiled(entries, {.diacritics = true, .confusables = true, .leet = true, .spacing = true});
  const auto texts = [&](std::size_t listed, bool mixed, bool spaced) {
    std::vector<std::string> out;
    while (out.size() < kTexts) out.push_back(author.message(entries, listed, mixed, spaced));
    return out;
  };
  json::Writer out;
  out.object().field("entries", static_cast<std::int64_t>(count)).key("compile_ms").number(compile_ms).key("change_ms").number(change_ms);
  measure(out, "latin", *matcher, texts(0, false, false), seconds);
  measure(out, "mixed", *matcher, texts(0, true, false), seconds);
  measure(out, "dirty", *matcher, texts(10, false, false), seconds);
  measure(out, "tricks", *all_tricks, texts(10, true, true), seconds);
  std::cout << out.end().take() << "\n";
}

}  // namespace chat::bench
