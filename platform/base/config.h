#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Configuration from YAML (yaml-cpp behind config.cpp), environment and flags, checked against a schema in code.
/// Order of power: flags, then environment (CHAT_DATABASE__DSN), then file, then default.
namespace chat::config {

enum class Type { text, integer, boolean, duration, bytes, word, list };
enum class Reload { yes, no };

/// One key of the schema. The reference page and ops/config/chat.default.yaml are made from these.
struct Entry {
  std::string key;                        // dotted: "public.port"
  Type type = Type::text;
  std::string fallback = {};              // as it would stand in the file: "8080", "30s", "64KiB"
  std::string meaning;                    // a sentence
  std::int64_t min = INT64_MIN;           // integers; milliseconds for durations; bytes for sizes
  std::int64_t max = INT64_MAX;
  std::vector<std::string> words = {};    // allowed values of Type::word
  Reload reload = Reload::no;
  bool secret = false;                    // never printed; also accepted as `<key>_file`
};

/// One mistake, ready to print: `chat.yaml:12:3: public.prt: unknown key; did you mean public.port?`
struct Mistake {
  std::string where;                      // file:line:column, or the name of the environment variable or flag
  std::string key;
  std::string text;
};

/// Thrown with all mistakes at once. what() is the list, one a line.
class Invalid : public std::exception {
 public:
  explicit Invalid(std::vector<Mistake> mistakes);
  [[nodiscard]] const std::vector<Mistake>& mistakes() const { return mistakes_; }
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
 private:
  std::vector<Mistake> mistakes_;
  std::string text_;
};

/// A checked, immutable set of values. Asking for a key that is not in the schema, or by another type, is an INVARIANT.
class Settings {
 public:
  [[nodiscard]] std::string text(std::string_view key) const;             // text, word; secrets too
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view key) const;
  [[nodiscard]] std::int64_t bytes(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  [[nodiscard]] std::string origin(std::string_view key) const;           // default | file:line | CHAT_… | --flag
  [[nodiscard]] const std::vector<Entry>& schema() const { return schema_; }
  /// Every key with value and origin; secrets as "********". YAML.
  [[nodiscard]] std::string print() const;
  [[nodiscard]] std::vector<std::string> warnings() const { return warnings_; }  // unknown CHAT_ variables
  /// Keys that differ from `older`, split by whether they take effect on a reload.
  struct Difference { std::vector<std::string> reloadable, restart; };
  [[nodiscard]] Difference difference(const Settings& older) const;

 private:
  friend Settings load(const std::vector<Entry>&, const std::optional<std::string>&,
                       const std::map<std::string, std::string>&, const std::map<std::string, std::string>&);
  struct Held { std::string text; std::string origin; };
  std::vector<Entry> schema_;
  std::map<std::string, Held, std::less<>> values_;
  std::vector<std::string> warnings_;
};

/// `file` empty: none. `environment`: name → value (all of environ). `flags`: dotted key → value.
/// Errors:  Invalid with every mistake: unknown or duplicate key (with suggestion), type, unit, range, both x and x_file,
///          a secret file that group or others can read.
Settings load(const std::vector<Entry>& schema, const std::optional<std::string>& file,
              const std::map<std::string, std::string>& environment, const std::map<std::string, std::string>& flags);

std::map<std::string, std::string> environment();       // of this process
std::string reference(const std::vector<Entry>& schema); // chat.default.yaml: every key, commented, with its default

}  // namespace chat::config
