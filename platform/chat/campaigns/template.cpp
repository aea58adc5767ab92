#include "platform/chat/campaigns/template.h"

#include <algorithm>
#include <array>

#include "platform/base/text.h"

namespace chat::campaigns {
namespace {

constexpr std::array<std::string_view, 3> kOfUsers{"user.id", "user.name", "user.username"};
constexpr std::array<std::string_view, 3> kOfChannels{"channel.id", "channel.type", "channel.name"};
constexpr std::array<std::string_view, 3> kOfAll{"sender.id", "sender.name", "campaign.name"};
constexpr std::size_t kMaxKey = 64, kMaxInside = 512;

bool is_key(std::string_view key) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !key.empty() && key.size() <= kMaxKey && std::ranges::all_of(key, fits);
}

bool is_known(std::string_view name, bool of_users) {
  if (name.starts_with("data.")) return is_key(name.substr(5));
  if (std::ranges::find(kOfAll, name) != kOfAll.end()) return true;
  if (!of_users) return std::ranges::find(kOfChannels, name) != kOfChannels.end();
  if (name.starts_with("user.custom.")) return is_key(name.substr(12));
  return std::ranges::find(kOfUsers, name) != kOfUsers.end();
}

std::string why_unknown(std::string_view name, bool of_users) {
  if (name.empty()) return "Between {{ and }} stands the name of a variable.";
  std::vector<std::string> words(kOfAll.begin(), kOfAll.end());
  for (const auto word : of_users ? kOfUsers : kOfChannels) words.emplace_back(word);
  const auto near = text::nearest(name, words);
  return "There is no variable " + std::string(name) + " here" + (near.empty() ? "; see " : "; did you mean " + near + "? There are ") +
         (of_users ? "user.id, user.name, user.username, user.custom.<key>" : "channel.id, channel.type, channel.name") +
         ", sender.id, sender.name, campaign.name, data.<key>.";
}

TemplateMistake mistake_at(std::string_view text, std::size_t at, std::string detail) {
  const auto before = text.substr(0, at);
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const auto start = before.rfind('\n');
  return {line, text::code_points(start == std::string_view::npos ? before : before.substr(start + 1)) + 1, std::move(detail)};
}

}  // namespace

Template parse_template(std::string_view text, bool of_users) {
  Template parsed;
  const auto add_text = [&](std::string_view more) {
    if (more.empty()) return;
    if (parsed.pieces.empty() || parsed.pieces.back().is_variable) parsed.pieces.push_back({});
    parsed.pieces.back().text += more;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find("{{", at);
    if (open == std::string_view::npos) {
      add_text(text.substr(at));
      break;
    }
    if (open > at && text[open - 1] == '\\') {
      add_text(text.substr(at, open - 1 - at));
      add_text("{{");
      at = open + 2;
      continue;
    }
    add_text(text.substr(at, open - at));
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos || close - open > kMaxInside) {
      parsed.mistake = mistake_at(text, open, "A variable ends with }}; \\{{ writes two braces.");
      return parsed;
    }
    const auto inside = text.substr(open + 2, close - open - 2);
    const auto bar = inside.find('|');
    const auto name = text::trim(inside.substr(0, bar));
    if (!is_known(name, of_users)) {
      parsed.mistake = mistake_at(text, open, why_unknown(name, of_users));
      return parsed;
    }
    Piece piece{std::string(name), true, std::nullopt};
    if (bar != std::string_view::npos) piece.fallback = text::trim(inside.substr(bar + 1));
    parsed.pieces.push_back(std::move(piece));
    at = close + 2;
  }
  return parsed;
}

Rendered render(const Template& parsed, const Lookup& lookup) {
  Rendered out;
  for (const auto& piece : parsed.pieces) {
    if (!piece.is_variable) {
      out.text += piece.text;
      continue;
    }
    const auto value = lookup(piece.text);
    if (value && !value->empty()) out.text += *value;
    else if (piece.fallback) out.text += *piece.fallback;
    else return {"", piece.text};
  }
  return out;
}

}  // namespace chat::campaigns
