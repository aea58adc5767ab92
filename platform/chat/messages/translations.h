#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chat/messages/messages.h"

/// Translations: the text of a message in other languages, kept with it and shown in `translations`. They come from the
/// customer's server; what is translated is the text as it was then, so an edit of the text forgets them all.
namespace chat::messages {

inline constexpr int kMaxTranslations = 20;    // languages of one message

/// A language tag in one form: `de`, `pt-BR`, `zh-Hant-TW`. None: not the shape of one.
/// Shape:   a language of 2-3 letters, then up to 3 subtags of 2-8 letters or digits; 16 bytes at most.
/// Source:  RFC 5646 2.1 and 2.1.1 (shape and case; the registry is not asked).
std::optional<std::string> parse_language(std::string_view tag);

/// Again in the same language: replaces it.
/// Errors:  not_found (missing, deleted); limit_reached
/// Event:   message.updated, when changed
Message put_translation(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, const std::string& language,
                        const std::string& text, Timestamp now);
/// Errors:  not_found (also: not in this language)
/// Event:   message.updated
Message delete_translation(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                           const std::string& language, Timestamp now);

/// Leaves of each message's translations the one in this language: exactly it, or else its language without subtags.
void keep_language(std::vector<Message>& messages, const std::string& language);

}  // namespace chat::messages
