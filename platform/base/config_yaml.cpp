#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "platform/base/config_parts.h"
#include "platform/base/text.h"

namespace chat::config {
namespace {

constexpr std::size_t kMaxFile = 1024 * 1024;

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// Walks one document against the schema and notes every mistake. yaml-cpp itself accepts a key twice (first one
/// wins), reads `null` as text, 010 as 8 and `yes` as true; so only its tree and marks are used.
class Walk {
 public:
  Walk(const std::vector<Entry>& schema, const std::string& file, Mistakes& mistakes)
      : schema_(schema), file_(file), mistakes_(mistakes) {
    for (const Entry& entry : schema_) {
      for (std::size_t dot = entry.key.find('.'); dot != std::string::npos; dot = entry.key.find('.', dot + 1)) {
        sections_.insert(entry.key.substr(0, dot));
      }
    }
  }

  Layer run(const YAML::Node& root) {
    if (root.IsDefined() && !root.IsNull()) section(root, "");
    return std::move(layer_);
  }

 private:
  /// Marks count from 0; people and editors from 1.
  std::string where(const YAML::Node& node) const {
    const YAML::Mark mark = node.Mark();
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }
  void mistake(const YAML::Node& at, const std::string& key, std::string text) {
    mistakes_.push_back({where(at), key, std::move(text)});
  }

  void section(const YAML::Node& node, const std::string& path) {
    if (!node.IsMap()) {
      return mistake(node, path, path.empty() ? "the file must be a mapping of sections" : "must be a section of keys");
    }
    std::map<std::string, int> lines;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        mistake(pair.first, path, "a key must be a word");
        continue;
      }
      const std::string& name = pair.first.Scalar();
      const auto [first, is_new] = lines.emplace(name, pair.first.Mark().line + 1);
      const std::string key = path.empty() ? name : path + "." + name;
      if (is_new) {
        member(pair.first, pair.second, name, key);
      } else {
        mistake(pair.first, key, "duplicate key; first on line " + std::to_string(first->second));
      }
    }
  }

  void member(const YAML::Node& name_node, const YAML::Node& value, const std::string& name, const std::string& key) {
    const bool is_plain = name.find('.') == std::string::npos;
    if (is_plain && sections_.contains(key)) {
      if (!value.IsNull()) section(value, key);  // all its keys may be commented out
      return;
    }
    const Entry* entry = find_entry(schema_, key);
    const bool is_secret_file = find_secret_of_file(schema_, key) != nullptr;
    if (!is_plain || (!entry && !is_secret_file)) return unknown(name_node, name, key);
    if (entry && entry->type == Type::list) return list(*entry, value, key);
    if (scalar(value, key)) layer_[key] = {value.Scalar(), where(value)};
  }

  void unknown(const YAML::Node& at, const std::string& name, const std::string& key) {
    if (name == "<<") return mistake(at, key, "merge keys are not supported");
    if (find_entry(schema_, key)) return mistake(at, key, "must be nested: a line for each part");
    std::vector<std::string> words(sections_.begin(), sections_.end());
    for (const Entry& entry : schema_) words.push_back(entry.key);
    std::string hint = did_you_mean(key, words);
    if (hint.empty()) {  // the right word in the wrong section
      const auto same = std::find_if(schema_.begin(), schema_.end(), [&](const Entry& entry) {
        return last_part(entry.key) == last_part(name);
      });
      if (same != schema_.end()) hint = "; did you mean " + same->key + "?";
    }
    mistake(at, key, "unknown key" + hint);
  }

  bool scalar(const YAML::Node& value, const std::string& key) {
    if (value.IsNull()) {
      mistake(value, key, "has no value; remove the key, or write \"\" for an empty text");
    } else if (!value.IsScalar()) {
      mistake(value, key, "must be a single value");
    } else if (value.Tag() != "?" && value.Tag() != "!" && !value.Tag().empty()) {
      mistake(value, key, "must have no tag (" + value.Tag() + ")");
    } else {
      return true;
    }
    return false;
  }

  void list(const Entry& entry, const YAML::Node& value, const std::string& key) {
    if (!value.IsSequence()) return mistake(value, key, "must be a list, such as [a, b]");
    std::string held;
    for (const YAML::Node& item : value) {
      if (!scalar(item, key)) return;
      const std::string& text = item.Scalar();
      if (text.empty() || text.find('\n') != std::string::npos) return mistake(item, key, "an item must be one line");
      held += (held.empty() ? "" : "\n") + text;
    }
    layer_[entry.key] = {std::move(held), where(value)};
  }

  const std::vector<Entry>& schema_;
  const std::string& file_;
  Mistakes& mistakes_;
  std::set<std::string> sections_;
  Layer layer_;
};

std::optional<std::string> read_file(const std::string& file, Mistakes& mistakes) {
  const auto fail = [&](std::string why) {
    mistakes.push_back({file, "", std::move(why)});
    return std::nullopt;
  };
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail("cannot be opened");
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty() && in.peek() != std::ifstream::traits_type::eof()) return fail("cannot be read");
  if (text.size() > kMaxFile) return fail("is larger than 1 MiB");
  if (!text::is_utf8(text)) return fail("is not UTF-8");
  // yaml-cpp takes the character 0x04 for the end of the file and would drop the rest without a word.
  const auto odd = std::find_if(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  });
  if (odd == text.end()) return text;
  const auto line = std::count(text.begin(), odd, '\n') + 1;
  mistakes.push_back({file + ":" + std::to_string(line), "", "has a control character"});
  return std::nullopt;
}

}  // namespace

Layer read_yaml(const std::vector<Entry>& schema, const std::string& file, Mistakes& mistakes) {
  const auto text = read_file(file, mistakes);
  if (!text) return {};
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(*text);
    if (documents.size() > 1) {
      mistakes.push_back({file, "", "must be one YAML document, has " + std::to_string(documents.size())});
      return {};
    }
    if (documents.empty()) return {};
    return Walk(schema, file, mistakes).run(documents.front());
  } catch (const YAML::Exception& failure) {
    const std::string at = ":" + std::to_string(failure.mark.line + 1) + ":" + std::to_string(failure.mark.column + 1);
    mistakes.push_back({file + (failure.mark.is_null() ? "" : at), "", "is not YAML: " + failure.msg});
    return {};
  }
}

}  // namespace chat::config
