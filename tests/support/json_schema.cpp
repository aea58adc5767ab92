#include "tests/support/json_schema.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

#include "platform/base/clock.h"

namespace chat::test {
namespace {

using nlohmann::json;

// What one schema, with everything it is composed of, says about one value.
struct Verdict {
  std::vector<std::string> mistakes;
  std::set<std::string> mentioned;   // members of the object that some part of the schema speaks of
  bool open = false;                 // some part says additionalProperties: true
};

bool matches(const std::string& pattern, const std::string& text) {
  static std::mutex mutex;
  static std::map<std::string, std::regex> compiled;
  const std::regex* regex = nullptr;
  {
    std::lock_guard lock(mutex);
    auto found = compiled.find(pattern);
    if (found == compiled.end()) found = compiled.emplace(pattern, std::regex(pattern)).first;
    regex = &found->second;
  }
  return std::regex_search(text, *regex);
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  throw std::logic_error("unknown type " + type);
}

class Checker {
 public:
  Checker(const JsonSchema& schemas, const json& value, std::string pointer)
      : schemas_(schemas), value_(value), pointer_(std::move(pointer)) {}

  // Everything `schema` says about the value itself and, through fresh checkers, about what is in it.
  void apply(const json& schema) {
    if (schema.is_boolean()) {
      if (!schema.get<bool>()) say("is not allowed");
      return;
    }
    if (schema.contains("$ref")) apply(schemas_.resolve(schema));
    check_words(schema);
    if (value_.is_string()) check_text(schema, value_.get_ref<const std::string&>());
    if (value_.is_number()) check_number(schema);
    if (value_.is_array()) check_array(schema);
    if (value_.is_object()) check_object(schema);
    compose(schema);
  }

  std::vector<std::string> finish() {
    if (value_.is_object() && !verdict_.open)
      for (const auto& [name, ignored] : value_.items())
        if (!verdict_.mentioned.count(name)) verdict_.mistakes.push_back(pointer_ + "/" + name + ": not in the contract");
    return verdict_.mistakes;
  }

 private:
  void say(const std::string& what) { verdict_.mistakes.push_back((pointer_.empty() ? "/" : pointer_) + ": " + what); }

  void descend(const json& schema, const json& value, const std::string& step) {
    auto found = schemas_.mistakes(schema, value, pointer_ + "/" + step);
    verdict_.mistakes.insert(verdict_.mistakes.end(), found.begin(), found.end());
  }

  void check_words(const json& schema) {
    if (schema.contains("type")) {
      const json types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
      if (std::none_of(types.begin(), types.end(), [&](const json& type) { return is_type(value_, type); }))
        say("must be " + schema["type"].dump() + ", is " + value_.dump().substr(0, 80));
    }
    if (schema.contains("const") && schema["const"] != value_) say("must be " + schema["const"].dump() + ", is " + value_.dump());
    if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value_) == schema["enum"].end())
      say("must be one of " + schema["enum"].dump() + ", is " + value_.dump().substr(0, 80));
  }

  void check_text(const json& schema, const std::string& text) {
    if (schema.contains("minLength") && characters(text) < schema["minLength"].get<std::size_t>()) say("is too short");
    if (schema.contains("maxLength") && characters(text) > schema["maxLength"].get<std::size_t>()) say("is too long");
    if (schema.contains("pattern") && text.size() <= 4096 && !matches(schema["pattern"], text))
      say("must match " + schema["pattern"].get<std::string>() + ", is \"" + text.substr(0, 80) + "\"");
    if (schema.value("format", "") == "date-time" && !parse_time(text)) say("must be an RFC 3339 time, is \"" + text + "\"");
  }

  void check_number(const json& schema) {
    if (schema.contains("minimum") && value_ < schema["minimum"]) say("must be at least " + schema["minimum"].dump());
    if (schema.contains("maximum") && value_ > schema["maximum"]) say("must be at most " + schema["maximum"].dump());
  }

  void check_array(const json& schema) {
    if (schema.contains("minItems") && value_.size() < schema["minItems"].get<std::size_t>()) say("has too few items");
    if (schema.contains("maxItems") && value_.size() > schema["maxItems"].get<std::size_t>()) say("has too many items");
    if (schema.value("uniqueItems", false) && std::set<json>(value_.begin(), value_.end()).size() != value_.size())
      say("has an item twice");
    if (schema.contains("items"))
      for (std::size_t i = 0; i < value_.size(); ++i) descend(schema["items"], value_[i], std::to_string(i));
  }

  void check_object(const json& schema) {
    static const json none = json::object();
    const json& properties = schema.contains("properties") ? schema["properties"] : none;
    if (schema.contains("minProperties") && value_.size() < schema["minProperties"].get<std::size_t>()) say("has too few members");
    if (schema.contains("required"))
      for (const std::string name : schema["required"])
        if (!value_.contains(name)) say("lacks " + name);
    for (const auto& [name, member] : value_.items()) {
      if (schema.contains("propertyNames")) descend(schema["propertyNames"], json(name), name);
      if (properties.contains(name)) {
        verdict_.mentioned.insert(name);
        descend(properties[name], member, name);
      } else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
        verdict_.mentioned.insert(name);
        descend(schema["additionalProperties"], member, name);
      }
    }
    if (schema.contains("additionalProperties") && schema["additionalProperties"] == true) verdict_.open = true;
  }

  void compose(const json& schema) {
    if (schema.contains("allOf"))
      for (const json& part : schema["allOf"]) apply(part);
    for (const char* word : {"oneOf", "anyOf"})
      if (schema.contains(word)) choose(schema[word], std::string(word) == "oneOf");
  }

  // The fitting branches speak for the value; when none fits, the one that fits best tells why.
  void choose(const json& branches, bool exactly_one) {
    std::optional<Verdict> best;
    int fitting = 0;
    for (const json& branch : branches) {
      Checker checker(schemas_, value_, pointer_);
      checker.apply(branch);
      if (checker.verdict_.mistakes.empty()) {
        ++fitting;
        take(checker.verdict_);
      }
      if (!best || checker.verdict_.mistakes.size() < best->mistakes.size()) best = checker.verdict_;
    }
    if (fitting == 0 && best) take(*best);
    if (exactly_one && fitting > 1) say("fits " + std::to_string(fitting) + " forms where it must fit one");
  }

  void take(const Verdict& other) {
    verdict_.mistakes.insert(verdict_.mistakes.end(), other.mistakes.begin(), other.mistakes.end());
    verdict_.mentioned.insert(other.mentioned.begin(), other.mentioned.end());
    verdict_.open = verdict_.open || other.open;
  }

  const JsonSchema& schemas_;
  const json& value_;
  std::string pointer_;
  Verdict verdict_;
};

const std::set<std::string> kKeywords = {
    "$ref",     "type",     "enum",        "const",     "properties", "required", "additionalProperties", "propertyNames",
    "items",    "minItems", "maxItems",    "minLength", "maxLength",  "pattern",  "format",               "minimum",
    "maximum",  "allOf",    "anyOf",       "oneOf",     "uniqueItems", "minProperties",
    "examples", "default",  "description"};

}  // namespace

const json& JsonSchema::resolve(const json& node) const {
  if (!node.is_object() || !node.contains("$ref")) return node;
  const std::string reference = node["$ref"];
  const json::json_pointer place(reference.substr(reference.find('#') + 1));
  if (!document_.contains(place)) throw std::logic_error("$ref points nowhere: " + reference);
  return document_.at(place);
}

std::vector<std::string> JsonSchema::mistakes(const json& schema, const json& value, const std::string& pointer) const {
  Checker checker(*this, value, pointer);
  checker.apply(schema);
  return checker.finish();
}

std::vector<std::string> JsonSchema::unknown_keywords(const json& schema, const std::string& place) const {
  std::vector<std::string> found;
  if (!schema.is_object()) return found;
  const auto below = [&](const json& part, const std::string& step) {
    auto more = unknown_keywords(part, place + "/" + step);
    found.insert(found.end(), more.begin(), more.end());
  };
  for (const auto& [word, part] : schema.items()) {
    if (!kKeywords.count(word)) found.push_back(place + ": " + word);
    if (word == "properties")
      for (const auto& [name, member] : part.items()) below(member, name);
    if (word == "items" || word == "additionalProperties" || word == "propertyNames") below(part, word);
    if (word == "allOf" || word == "anyOf" || word == "oneOf")
      for (const json& branch : part) below(branch, word);
  }
  return found;
}

}  // namespace chat::test
