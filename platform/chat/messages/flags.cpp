#include "platform/chat/messages/flags.h"

#include <algorithm>

#include "platform/base/json.h"
#include "platform/chat/messages/flags.sql.h"

namespace chat::messages {
namespace {

constexpr std::size_t kMaxRuleBytes = 255;

/// At most so many bytes, and no half of a character.
std::string clipped(std::string_view text) {
  if (text.size() <= kMaxRuleBytes) return std::string(text);
  std::size_t end = kMaxRuleBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

std::optional<std::string> find_text(const json::Value& finding, std::string_view name) {
  const auto found = finding.find(name);
  if (!found || found->kind() != json::Kind::text) return std::nullopt;
  return clipped(found->text());
}

void add(text::ArrayLiteral& array, const std::optional<std::string>& value) {
  if (value) array.add(*value);
  else array.add_null();
}

std::string rest_of(const json::Value& finding) {
  json::Writer out;
  out.object();
  for (const auto& [name, value] : finding.members())
    if (name != "source" && name != "rule" && name != "severity" && name != "reason") out.key(name).raw(value.raw());
  out.end();
  return out.take();
}

}  // namespace

void Findings::add(const std::string& channel_type, const std::string& channel_id, MessageId message, const std::string& findings) {
  const auto document = json::Document::parse(findings);
  const auto found = document.root().items();
  const auto item = new_uuid7(now_).text();
  for (std::size_t i = 0; i < found.size() && i < kMaxFindings; ++i) {
    const auto severity = found[i].find("severity");
    types_.add(channel_type);
    channels_.add(channel_id);
    messages_.add(message.text());
    items_.add(item);
    flags_.add(new_uuid7(now_).text());
    sources_.add(find_text(found[i], "source").value_or("rule"));
    messages::add(rules_, find_text(found[i], "rule"));
    messages::add(reasons_, find_text(found[i], "reason"));
    severities_.add(std::to_string(severity && severity->kind() == json::Kind::integer ? std::clamp<std::int64_t>(severity->integer(), 1, 3) : 2));
    details_.add(rest_of(found[i]));
    empty_ = false;
  }
}

const storage::Statement& Findings::statement() { return sql::flag_messages; }

storage::Params Findings::take(AppId app) {
  return storage::Params::of(app, types_.take(), channels_.take(), messages_.take(), items_.take(), flags_.take(), sources_.take(),
                             rules_.take(), reasons_.take(), severities_.take(), details_.take(), now_);
}

}  // namespace chat::messages
