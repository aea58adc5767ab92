#include "platform/chat/messages/translations.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/messages/locked.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/translations.sql.h"

namespace chat::messages {
namespace {

constexpr std::size_t kMaxTagBytes = 16, kMaxSubtags = 4;

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_alpha(c) || (c >= '0' && c <= '9'); }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

struct Stored {
  std::optional<std::string> text;
  std::int64_t others = 0;
};

Stored lock_translation(storage::Transaction& tx, const channels::Opened& opened, MessageId id, const std::string& language) {
  if (lock_message(tx, opened.channel, id).deleted_at) throw not_found("message");
  auto rows = tx.query(sql::find_translation, tx.app(), opened.channel.id, id, language);
  return {rows[0].optional_text(0), rows[0].integer(1)};
}

Message tell_translated(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now) {
  Message message = get_message(tx, opened.channel, id);
  tell_about(tx, bus, opened.channel, now, kMessageUpdated, message, message_data(message));
  return message;
}

/// The extras with `translations` replaced by one of them, or without any.
std::optional<std::string> with_one(const std::string& extras, const std::string& language) {
  const auto document = json::Document::parse(extras);
  const auto translations = document.root().find("translations");
  if (!translations) return extras;
  const std::string primary = language.substr(0, language.find('-'));
  const std::string& wanted = translations->find(language) ? language : primary;
  const auto found = translations->find(wanted);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members())
    if (name != "translations") out.key(name).raw(value.raw());
  if (found) out.key("translations").object().key(wanted).raw(found->raw()).end();
  out.end();
  return out.take();
}

}  // namespace

std::optional<std::string> parse_language(std::string_view tag) {
  if (tag.size() > kMaxTagBytes) return std::nullopt;
  auto parts = text::split(tag, '-');
  if (parts.empty() || parts.size() > kMaxSubtags) return std::nullopt;
  const auto& primary = parts.front();
  if (primary.size() < 2 || primary.size() > 3 || !std::all_of(primary.begin(), primary.end(), is_alpha)) return std::nullopt;
  std::string language = text::lower_ascii(primary);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].size() < 2 || parts[i].size() > 8 || !std::all_of(parts[i].begin(), parts[i].end(), is_alnum)) return std::nullopt;
    std::string part = text::lower_ascii(parts[i]);
    if (part.size() == 2) std::transform(part.begin(), part.end(), part.begin(), upper);
    if (part.size() == 4) part[0] = upper(part[0]);
    language += "-" + part;
  }
  return language;
}

Message put_translation(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, const std::string& language,
                        const std::string& text, Timestamp now) {
  const auto stored = lock_translation(tx, opened, id, language);
  if (stored.text == text) return get_message(tx, opened.channel, id);
  if (!stored.text && stored.others >= kMaxTranslations)
    throw Error(Code::limit_reached, "A message may have translations in 20 languages; delete one first.");
  tx.run(sql::put_translation, tx.app(), opened.channel.id, id, language, text);
  return tell_translated(tx, bus, opened, id, now);
}

Message delete_translation(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                           const std::string& language, Timestamp now) {
  if (!lock_translation(tx, opened, id, language).text) throw not_found("translation");
  tx.run(sql::delete_translation, tx.app(), opened.channel.id, id, language);
  return tell_translated(tx, bus, opened, id, now);
}

void keep_language(std::vector<Message>& messages, const std::string& language) {
  for (auto& message : messages)
    if (message.extras && message.extras->find("\"translations\"") != std::string::npos) message.extras = with_one(*message.extras, language);
}

}  // namespace chat::messages
