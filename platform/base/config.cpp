#include "platform/base/config.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "platform/base/config_parts.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

namespace chat::config {
namespace {

constexpr std::string_view kPrefix = "CHAT_";
constexpr std::string_view kFile = "_file";

/// database.dsn is CHAT_DATABASE__DSN.
std::string variable_of(std::string_view key) {
  std::string out(kPrefix);
  for (const char c : key) {
    if (c == '.') {
      out += "__";
    } else {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

std::vector<std::string> all_keys(const std::vector<Entry>& schema) {
  std::vector<std::string> keys;
  for (const Entry& entry : schema) {
    keys.push_back(entry.key);
    if (entry.secret) keys.push_back(entry.key + std::string(kFile));
  }
  return keys;
}

Given given_text(const std::vector<Entry>& schema, const std::string& key, const std::string& text,
                 std::string where) {
  const Entry* entry = find_entry(schema, key);
  const bool is_list = entry && entry->type == Type::list;
  return {is_list ? parse_list(text) : text, std::move(where)};
}

Layer read_environment(const std::vector<Entry>& schema, const std::map<std::string, std::string>& environment,
                       std::vector<std::string>& warnings) {
  std::map<std::string, std::string> keys;  // by variable
  std::vector<std::string> known;
  for (const std::string& key : all_keys(schema)) {
    known.push_back(variable_of(key));
    keys[known.back()] = key;
  }
  Layer layer;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix)) continue;
    if (const auto found = keys.find(name); found != keys.end()) {
      layer[found->second] = given_text(schema, found->second, value, name);
    } else {
      warnings.push_back(name + ": unknown variable, ignored" + did_you_mean(name, known));
    }
  }
  return layer;
}

Layer read_flags(const std::vector<Entry>& schema, const std::map<std::string, std::string>& flags,
                 Mistakes& mistakes) {
  const std::vector<std::string> keys = all_keys(schema);
  Layer layer;
  for (const auto& [key, value] : flags) {
    const std::string where = "--" + key;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      layer[key] = given_text(schema, key, value, where);
    } else {
      mistakes.push_back({where, key, "unknown key" + did_you_mean(key, keys)});
    }
  }
  return layer;
}

/// Replaces `<secret>_file` by what the file holds. One source must not say both; a stronger source may say it anew.
void open_secrets(const std::vector<Entry>& schema, Layer& layer, Mistakes& mistakes) {
  for (const Entry& entry : schema) {
    if (!entry.secret) continue;
    const std::string file_key = entry.key + std::string(kFile);
    const auto node = layer.extract(file_key);
    if (node.empty()) continue;
    const Given& path = node.mapped();
    if (layer.contains(entry.key)) {
      mistakes.push_back({path.where, file_key, "stands beside " + entry.key + "; keep one of the two"});
      continue;
    }
    std::string wrong;
    if (auto secret = read_secret(path.text, wrong)) {
      layer[entry.key] = {*std::move(secret), path.where};
    } else {
      mistakes.push_back({path.where, file_key, std::move(wrong)});
    }
  }
}

void check_values(const std::vector<Entry>& schema, const Layer& layer, Mistakes& mistakes) {
  for (const auto& [key, given] : layer) {
    std::string wrong = wrong_value(*find_entry(schema, key), given.text);
    if (!wrong.empty()) mistakes.push_back({given.where, key, std::move(wrong)});
  }
}

std::string sentence_of(const Mistake& mistake) {
  return mistake.where + ": " + (mistake.key.empty() ? "" : mistake.key + ": ") + mistake.text;
}

}  // namespace

const Entry* find_entry(const std::vector<Entry>& schema, std::string_view key) {
  const auto found = std::find_if(schema.begin(), schema.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == schema.end() ? nullptr : &*found;
}

const Entry* find_secret_of_file(const std::vector<Entry>& schema, std::string_view key) {
  if (!key.ends_with(kFile)) return nullptr;
  const Entry* entry = find_entry(schema, key.substr(0, key.size() - kFile.size()));
  return entry && entry->secret ? entry : nullptr;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  const std::string meant = text::nearest(word, words);
  return meant.empty() ? "" : "; did you mean " + meant + "?";
}

Invalid::Invalid(std::vector<Mistake> mistakes) : mistakes_(std::move(mistakes)) {
  for (const Mistake& mistake : mistakes_) text_ += (text_.empty() ? "" : "\n") + sentence_of(mistake);
}

Settings load(const std::vector<Entry>& schema, const std::optional<std::string>& file,
              const std::map<std::string, std::string>& environment, const std::map<std::string, std::string>& flags) {
  Settings settings;
  settings.schema_ = schema;
  for (const Entry& entry : schema) {
    const Given fallback = given_text(schema, entry.key, entry.fallback, "default");
    INVARIANT(wrong_value(entry, fallback.text).empty(), ("the default of " + entry.key + " is not valid").c_str());
    settings.values_[entry.key] = {fallback.text, fallback.where};
  }
  Mistakes mistakes;
  std::vector<Layer> layers;  // weakest first
  if (file) layers.push_back(read_yaml(schema, *file, mistakes));
  layers.push_back(read_environment(schema, environment, settings.warnings_));
  layers.push_back(read_flags(schema, flags, mistakes));
  for (Layer& layer : layers) {
    open_secrets(schema, layer, mistakes);
    check_values(schema, layer, mistakes);
    for (auto& [key, given] : layer) settings.values_[key] = {std::move(given.text), std::move(given.where)};
  }
  if (!mistakes.empty()) throw Invalid(std::move(mistakes));
  return settings;
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** variable = environ; variable && *variable; ++variable) {
    const std::string_view both(*variable);
    const std::size_t equals = both.find('=');
    if (equals != std::string_view::npos) out.emplace(both.substr(0, equals), both.substr(equals + 1));
  }
  return out;
}

}  // namespace chat::config
