#include "ops/benchmarks/flags.h"

#include <charconv>

namespace chat::bench {

Flags::Flags(int argc, char** argv, int first) {
  for (int i = first; i < argc; ++i) {
    std::string name = argv[i];
    if (name.rfind("--", 0) != 0) throw Failure("expected a --flag, found " + name);
    const bool has_value = i + 1 < argc && std::string(argv[i + 1]).rfind("--", 0) != 0;
    given_[name.substr(2)] = has_value ? argv[++i] : "yes";
  }
}

std::string Flags::text(const std::string& name) {
  asked_[name] = true;
  auto found = given_.find(name);
  if (found == given_.end()) throw Failure("--" + name + " is required");
  return found->second;
}

std::string Flags::text(const std::string& name, const std::string& fallback) {
  asked_[name] = true;
  auto found = given_.find(name);
  return found == given_.end() ? fallback : found->second;
}

std::int64_t Flags::number(const std::string& name, std::int64_t fallback) {
  const std::string given = text(name, std::to_string(fallback));
  std::int64_t value = -1;
  auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error != std::errc{} || end != given.data() + given.size() || value < 0 || value > 1'000'000'000)
    throw Failure("--" + name + " must be a whole number from 0 to 1000000000, not " + given);
  return value;
}

bool Flags::is_set(const std::string& name) { return text(name, "no") == "yes"; }

void Flags::finish() const {
  for (const auto& [name, value] : given_)
    if (!asked_.contains(name)) throw Failure("unknown flag --" + name);
}

}  // namespace chat::bench
