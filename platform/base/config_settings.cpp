#include "platform/base/config_parts.h"
#include "platform/base/error.h"

namespace chat::config {
namespace {

const Entry& entry_of(const std::vector<Entry>& schema, std::string_view key, std::initializer_list<Type> types) {
  const Entry* entry = find_entry(schema, key);
  INVARIANT(entry != nullptr, ("no such key in the schema: " + std::string(key)).c_str());
  bool fits = types.size() == 0;
  for (const Type type : types) fits = fits || entry->type == type;
  INVARIANT(fits, ("the key has another type: " + std::string(key)).c_str());
  return *entry;
}

}  // namespace

std::string Settings::text(std::string_view key) const {
  return values_.at(entry_of(schema_, key, {Type::text, Type::word}).key).text;
}

std::int64_t Settings::integer(std::string_view key) const {
  return parse_integer(values_.at(entry_of(schema_, key, {Type::integer}).key).text).value();
}

bool Settings::boolean(std::string_view key) const {
  return parse_boolean(values_.at(entry_of(schema_, key, {Type::boolean}).key).text).value();
}

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  return std::chrono::milliseconds{parse_duration(values_.at(entry_of(schema_, key, {Type::duration}).key).text).value()};
}

std::int64_t Settings::bytes(std::string_view key) const {
  return parse_bytes(values_.at(entry_of(schema_, key, {Type::bytes}).key).text).value();
}

std::vector<std::string> Settings::list(std::string_view key) const {
  return list_items(values_.at(entry_of(schema_, key, {Type::list}).key).text);
}

std::string Settings::origin(std::string_view key) const { return values_.at(entry_of(schema_, key, {}).key).origin; }

Settings::Difference Settings::difference(const Settings& older) const {
  Difference out;
  for (const Entry& entry : schema_) {
    const auto before = older.values_.find(entry.key);
    if (before != older.values_.end() && before->second.text == values_.at(entry.key).text) continue;
    (entry.reload == Reload::yes ? out.reloadable : out.restart).push_back(entry.key);
  }
  return out;
}

}  // namespace chat::config
