#include "platform/chat/blocklists/folding_json.h"

#include <iterator>

namespace chat::blocklists {
namespace {

using matching::Folding;

struct Setting {
  std::string_view name;
  bool Folding::* member;
  bool of_regex;                               // regular expressions have it, too
};
constexpr Setting kSettings[] = {
    {"case", &Folding::letter_case, true}, {"width", &Folding::width, true}, {"diacritics", &Folding::diacritics, false},
    {"confusables", &Folding::confusables, false}, {"leet", &Folding::leet, false}, {"invisible", &Folding::invisible, true},
    {"spacing", &Folding::spacing, false},
};

void read_settings(json::Fields& fields, Folding& folding) {
  for (const auto& setting : kSettings) folding.*setting.member = fields.find_boolean(setting.name).value_or(folding.*setting.member);
}

}  // namespace

std::string folding_json(const Folding& folding) {
  json::Writer out;
  out.object();
  for (const auto& setting : kSettings) out.key(setting.name).boolean(folding.*setting.member);
  return out.end().take();
}

Folding parse_folding(std::string_view json) {
  const auto document = json::Document::parse(json);
  json::Fields fields(document.root());
  Folding folding;
  read_settings(fields, folding);
  return folding;
}

void read_folding(json::Fields& body, std::string_view kind, Folding& folding) {
  const auto given = body.find_object("folding");
  if (!given) return;
  json::Fields fields(*given, body.pointer("folding"));
  read_settings(fields, folding);
  for (const auto& setting : kSettings) {
    if (!fields.has(setting.name)) continue;
    if (kind == "regex" && !setting.of_regex && folding.*setting.member) fields.mistake(setting.name, "A regular expression says itself what it takes for the same.");
    if (kind == "ip" || kind == "domain" || kind == "email") fields.mistake(setting.name, "Lists of this kind have no such setting.");
  }
  fields.check_unknown();
  body.absorb(fields);
}

}  // namespace chat::blocklists
