#include "platform/chat/notifications/templates.h"

#include <algorithm>
#include <array>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/notifications/templates.sql.h"

namespace chat::notifications {
namespace {

constexpr int kMaxCut = 1'000;
constexpr std::size_t kMaxVariableBytes = 64;

/// A piece of a template: text, or a variable with how much of it is shown.
struct Piece {
  std::string_view text;
  bool is_variable = false;
  std::size_t cut = kMaxCut;
};

/// `mistake` says why it stopped, if it did.
std::vector<Piece> parse(std::string_view text, std::string& mistake) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find("{{", at);
    if (open == std::string_view::npos) {
      pieces.push_back({text.substr(at)});
      break;
    }
    if (open > 0 && text[open - 1] == '\\') {
      pieces.push_back({text.substr(at, open - 1 - at)});
      pieces.push_back({text.substr(open, 2)});
      at = open + 2;
      continue;
    }
    pieces.push_back({text.substr(at, open - at)});
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos || close - open > kMaxVariableBytes) {
      mistake = "A variable ends with }}.";
      return pieces;
    }
    const auto inside = text.substr(open + 2, close - open - 2);
    const auto bar = inside.find('|');
    Piece piece{chat::text::trim(inside.substr(0, bar)), true};
    if (std::ranges::find(variables(), piece.text) == variables().end()) {
      mistake = "There is no variable " + std::string(piece.text) + ".";
      return pieces;
    }
    if (bar != std::string_view::npos) {
      const auto digits = chat::text::trim(inside.substr(bar + 1));
      const bool is_number = !digits.empty() && digits.size() <= 4 && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
      const int cut = is_number ? std::stoi(std::string(digits)) : 0;
      if (cut < 1 || cut > kMaxCut) {
        mistake = "Behind | stands a number of characters, 1 to 1000.";
        return pieces;
      }
      piece.cut = static_cast<std::size_t>(cut);
    }
    pieces.push_back(piece);
    at = close + 2;
  }
  return pieces;
}

/// The first characters, never half of one; with … when some are missing.
std::string cut(std::string_view utf8, std::size_t max_chars) {
  std::size_t chars = 0, last = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if ((static_cast<unsigned char>(utf8[i]) & 0xC0) == 0x80) continue;
    if (chars == max_chars - 1) last = i;
    if (++chars > max_chars) return std::string(utf8.substr(0, last)) + "…";
  }
  return std::string(utf8);
}

std::string plain(std::string_view value) {
  std::string out(value);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

const std::array<Template, 3>& built_in() {
  static const std::array<Template, 3> templates{{
      {"message.new", "", "{{sender.name|60}}", "{{message.text|200}}", {}, {}},
      {"mention", "", "{{sender.name|60}} @ {{channel.name|60}}", "{{message.text|200}}", {}, {}},
      {"reminder.due", "", "{{channel.name|60}}", "{{sender.name|60}}: {{message.text|200}}", {}, {}},
  }};
  return templates;
}

const Template* find(const std::vector<Template>& own, const std::string& event, std::string_view language) {
  const auto found = std::ranges::find_if(own, [&](const Template& one) { return one.event == event && one.language == language; });
  return found == own.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<std::string>& variables() {
  static const std::vector<std::string> names{"sender.name", "sender.id",    "channel.name",  "channel.id",
                                              "channel.type", "message.text", "reaction.type", "app.name"};
  return names;
}

bool is_event(std::string_view event) {
  return event == "message.new" || event == "mention" || event == "reaction.new" || event == "reminder.due" || event == "invite.created";
}

bool is_language(std::string_view text) {
  const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return text.size() >= 2 && text.size() <= kMaxLanguageBytes && text.front() != '-' && text.back() != '-' && std::ranges::all_of(text, is_part);
}

std::string mistake_in(std::string_view text) {
  std::string mistake;
  parse(text, mistake);
  return mistake;
}

std::string render(std::string_view text, const Values& values, std::size_t max_chars) {
  std::string out, mistake;
  for (const auto& piece : parse(text, mistake)) {
    if (!piece.is_variable) {
      out += piece.text;
      continue;
    }
    const auto value = values.find(piece.text);
    if (value != values.end()) out += cut(plain(value->second), piece.cut);
  }
  return cut(out, max_chars);
}

std::string template_json(const Template& one) {
  json::Writer out;
  out.object().field("event", one.event);
  if (!one.language.empty()) out.field("language", one.language);
  out.field("title", one.title).field("body", one.body).optional_time("created_at", one.created_at)
      .optional_time("updated_at", one.updated_at).end();
  return out.take();
}

std::vector<Template> list_templates(storage::Transaction& tx) {
  std::vector<Template> templates;
  auto rows = tx.query(sql::list_push_templates, tx.app());
  for (auto row : rows)
    templates.push_back({std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3)), row.time(4), row.time(5)});
  return templates;
}

SavedTemplate save_template(storage::Transaction& tx, const Template& given, Timestamp now) {
  auto rows = tx.query(sql::save_push_template, tx.app(), given.event, given.language, given.title, given.body, now);
  if (tx.query(sql::count_push_templates, tx.app())[0].integer(0) > kMaxTemplates)
    throw Error(Code::limit_reached, "An application may have 100 push templates; delete one first.");
  SavedTemplate saved{rows[0].boolean(0), given};
  saved.saved.created_at = rows[0].time(1);
  saved.saved.updated_at = now;
  return saved;
}

void delete_template(storage::Transaction& tx, const std::string& event, const std::string& language) {
  if (tx.run(sql::delete_push_template, tx.app(), event, language) == 0) throw not_found("push template");
}

const Template* choose(const std::vector<Template>& own, const std::string& event, const std::string& language) {
  for (const std::string& wanted : {language, language.substr(0, language.find('-')), std::string()})
    if (const auto* one = find(own, event, wanted)) return one;
  const auto found = std::ranges::find(built_in(), event, &Template::event);
  return found == built_in().end() ? nullptr : &*found;
}

}  // namespace chat::notifications
