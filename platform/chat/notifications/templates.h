#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/storage/transaction.h"

/// What a notification says: texts with a few variables, by event and language.
///
/// Grammar: `{{name}}` or `{{name|120}}`, cut to so many characters (1 … 1,000); names as in `variables()`; `\{{` writes two braces.
///          A value is put in as it is, without control characters, and never read as a template again. No conditions, no loops.
namespace chat::notifications {

inline constexpr std::size_t kMaxTemplateBytes = 500;
inline constexpr std::size_t kMaxLanguageBytes = 16;
inline constexpr int kMaxTemplates = 100;      // of one application

/// sender.name sender.id channel.name channel.id channel.type message.text reaction.type app.name
const std::vector<std::string>& variables();
bool is_event(std::string_view event);         // message.new | mention | reaction.new | reminder.due | invite.created
bool is_language(std::string_view text);       // lower case: en, pt-br

/// Why a text is no template; empty: it is one.
std::string mistake_in(std::string_view text);

using Values = std::map<std::string, std::string, std::less<>>;
/// Shape:   at most `max_chars` characters; longer values are cut with `…`.
std::string render(std::string_view text, const Values& values, std::size_t max_chars);

struct Template {
  std::string event, language;                 // language "": for all others
  std::string title, body;
  std::optional<Timestamp> created_at, updated_at;   // absent: the built-in one
};
/// Shape:   as openapi.yaml's PushTemplate
std::string template_json(const Template& one);

/// All that the application has, by event and language.
std::vector<Template> list_templates(storage::Transaction& tx);
struct SavedTemplate {
  bool created = false;
  Template saved;
};
/// Errors:  limit_reached
SavedTemplate save_template(storage::Transaction& tx, const Template& given, Timestamp now);
/// Errors:  not_found
void delete_template(storage::Transaction& tx, const std::string& event, const std::string& language);

/// The application's in this language, in its main language (`pt` of `pt-br`), for all others; else the built-in one. Null: reactions
/// without a template are not pushed.
const Template* choose(const std::vector<Template>& own, const std::string& event, const std::string& language);

}  // namespace chat::notifications
