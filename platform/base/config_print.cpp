#include <algorithm>
#include <set>

#include "platform/base/config_parts.h"
#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::config {
namespace {

constexpr std::string_view kHidden = "********";
constexpr std::size_t kWidth = 100;

/// A YAML scalar that reads back as exactly `text`. JSON's strings are YAML's double-quoted ones.
std::string scalar(const std::string& text) {
  static const std::set<std::string> kWords = {"null", "Null", "NULL", "~", "-", "true", "false"};
  const bool is_plain = !text.empty() && !kWords.contains(text) && text::is_token(text, 1000) &&
                        text.find_first_of("-.") != 0;
  if (is_plain) return text;
  json::Writer out;
  return out.text(text).take();
}

std::string value_text(const Entry& entry, const std::string& held) {
  if (entry.secret) return held.empty() ? "\"\"" : scalar(std::string(kHidden));
  switch (entry.type) {
    case Type::text:
    case Type::word: return scalar(held);
    case Type::list: {
      std::string out;
      for (const std::string& item : list_items(held)) out += (out.empty() ? "" : ", ") + scalar(item);
      return "[" + out + "]";
    }
    default: return held;  // numbers and booleans are plain in YAML
  }
}

/// `a.x.one` and `a.x.` stand in `a.x.`, that in `a.`, that in nothing.
std::string section_of(std::string key) {
  key.resize(key.find_last_not_of('.') + 1);
  key.resize(key.rfind('.') + 1);
  return key;
}

/// Entries of one section stand together, in the order of the section's first entry.
std::vector<const Entry*> grouped(const std::vector<Entry>& schema) {
  std::vector<const Entry*> out;
  for (const Entry& entry : schema) {
    auto after = out.end();
    for (std::string section = section_of(entry.key); !section.empty(); section = section_of(section)) {
      const auto is_beside = [&](const Entry* one) { return one->key.starts_with(section); };
      const auto last = std::find_if(out.rbegin(), out.rend(), is_beside);
      if (last == out.rend()) continue;
      after = last.base();
      break;
    }
    out.insert(after, &entry);
  }
  return out;
}

/// Opens the sections of `key` that are not open yet; returns the indent of its last part.
std::string open_sections(std::string& out, const std::string& key, std::vector<std::string>& open, bool is_spaced) {
  std::vector<std::string> parts = text::split(key, '.');
  parts.pop_back();
  std::size_t same = 0;
  while (same < parts.size() && same < open.size() && parts[same] == open[same]) ++same;
  for (std::size_t i = same; i < parts.size(); ++i) {
    if (is_spaced && i == 0 && !out.empty()) out += '\n';
    out += std::string(i * 2, ' ') + parts[i] + ":\n";
  }
  open = parts;
  return std::string(parts.size() * 2, ' ');
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

void append_comment(std::string& out, const std::string& indent, const std::string& sentence) {
  std::string line = indent + "#";
  for (const std::string& word : text::split(sentence, ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = indent + "#";
    }
    line += " " + word;
  }
  out += line + "\n";
}

std::string bounds_of(const Entry& entry) {
  const bool has_min = entry.min != INT64_MIN;
  const bool has_max = entry.max != INT64_MAX;
  if (has_min && has_max) return " From " + show_measure(entry.type, entry.min) + " to " + show_measure(entry.type, entry.max) + ".";
  if (has_min) return " At least " + show_measure(entry.type, entry.min) + ".";
  if (has_max) return " At most " + show_measure(entry.type, entry.max) + ".";
  return {};
}

std::string remarks_of(const Entry& entry) {
  std::string out = bounds_of(entry);
  if (!entry.words.empty()) {
    std::string words;
    for (const std::string& word : entry.words) words += (words.empty() ? "" : ", ") + word;
    out += " One of: " + words + ".";
  }
  if (entry.secret) out += " Secret: better in a file of mode 0600, named by " + last_part(entry.key) + "_file.";
  return out + (entry.reload == Reload::yes ? " Takes effect on a reload." : " Takes effect at the next start.");
}

}  // namespace

std::string Settings::print() const {
  std::string out;
  std::vector<std::string> open;
  for (const Entry* entry : grouped(schema_)) {
    const Held& held = values_.at(entry->key);
    const std::string indent = open_sections(out, entry->key, open, false);
    out += indent + last_part(entry->key) + ": " + value_text(*entry, held.text) + "  # " + held.origin + "\n";
  }
  return out;
}

std::string reference(const std::vector<Entry>& schema) {
  std::string out =
      "# Every key that chatd knows, with its default. Made from the schema in the code; do not edit.\n"
      "# Stronger than this file: the environment (database.dsn is CHAT_DATABASE__DSN), then flags.\n";
  std::vector<std::string> open;
  for (const Entry* entry : grouped(schema)) {
    const std::string indent = open_sections(out, entry->key, open, true);
    append_comment(out, indent, entry->meaning + remarks_of(*entry));
    const std::string held = entry->type == Type::list ? parse_list(entry->fallback) : entry->fallback;
    const bool is_public_default = entry->secret && !held.empty();
    out += indent + last_part(entry->key) + ": " + (is_public_default ? scalar(held) : value_text(*entry, held)) + "\n";
  }
  return out;
}

}  // namespace chat::config
