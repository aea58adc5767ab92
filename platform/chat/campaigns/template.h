#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Texts with variables. Pure.
///
///   template = { text | "\{{" | "{{" name [ "|" fallback ] "}}" }      spaces around name and fallback don't count
///   name     = "user." ("id" | "name" | "username" | "custom." key) | "channel." ("id" | "type" | "name")
///            | "sender." ("id" | "name") | "campaign.name" | "data." key
///   key      = 1-64 of A-Z a-z 0-9 _ -
namespace chat::campaigns {

struct Piece {
  std::string text;                            // of a variable: its name
  bool is_variable = false;
  std::optional<std::string> fallback = {};    // shown when there is no value, or an empty one
};
struct TemplateMistake {
  std::size_t line = 1, column = 1;            // of the "{{", in code points, from 1
  std::string detail;
};
struct Template {
  std::vector<Piece> pieces;
  std::optional<TemplateMistake> mistake;      // the first; the pieces end before it
};
/// `of_users`: whether `user.…` means somebody; else `channel.…` does.
Template parse_template(std::string_view text, bool of_users);

/// What a variable stands for; none: there is no value.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;
struct Rendered {
  std::string text;
  std::optional<std::string> missing;          // a variable that has neither value nor fallback: nothing may be sent
};
Rendered render(const Template& parsed, const Lookup& lookup);

}  // namespace chat::campaigns
