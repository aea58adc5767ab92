#include "platform/chat/campaigns/template.h"

#include <catch2/catch.hpp>

#include "platform/chat/campaigns/definition.h"

using namespace chat;
using namespace chat::campaigns;

namespace {

std::string place_of(std::string_view text, bool of_users = true) {
  const auto parsed = parse_template(text, of_users);
  return parsed.mistake ? std::to_string(parsed.mistake->line) + ":" + std::to_string(parsed.mistake->column) : "fine";
}

std::string shown(std::string_view text, const std::map<std::string, std::string>& values) {
  const auto rendered = render(parse_template(text, true), [&](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
  return rendered.missing ? "missing " + *rendered.missing : rendered.text;
}

Definition definition_of(const std::string& json) {
  const auto document = json::Document::parse(json);
  json::Fields body(document.root());
  auto definition = read_definition(body);
  body.finish();
  return definition;
}

}  // namespace

TEST_CASE("template: a variable shows its value, or its fallback, or nothing is said at all", "[unit][template]") {
  CHECK(shown("Hi {{ user.name | you there }}!", {{"user.name", "Zoë"}}) == "Hi Zoë!");
  CHECK(shown("Hi {{ user.name | you there }}!", {}) == "Hi you there!");
  CHECK(shown("Hi {{user.name|}}!", {{"user.name", ""}}) == "Hi !");
  CHECK(shown("Hi {{user.name}}!", {{"user.name", ""}}) == "missing user.name");
  CHECK(shown("{{data.a-b_1}}{{user.custom.points}}", {{"data.a-b_1", "x"}, {"user.custom.points", "7"}}) == "x7");
  CHECK(shown("\\{{user.name}} { {} }}", {}) == "{{user.name}} { {} }}");
  CHECK(shown("{{user.name}}", {{"user.name", "{{sender.name}}"}}) == "{{sender.name}}");   // a value is no template
  CHECK(shown("", {}).empty());
}

TEST_CASE("template: a mistake is told with its line and column, in characters", "[unit][template]") {
  CHECK(place_of("Hi {{user.name}} {{data.x|y}}") == "fine");
  CHECK(place_of("{{name}}") == "1:1");
  CHECK(place_of("é\n\nüü {{user.nmae}}") == "3:4");
  CHECK(place_of("ok {{user.name}} and {{user.name") == "1:22");
  CHECK(place_of("{{}}") == "1:1");
  CHECK(place_of("{{data.}}") == "1:1");
  CHECK(place_of("{{data.a b}}") == "1:1");
  CHECK(place_of("{{user.name}}", false) == "1:1");
  CHECK(place_of("{{channel.name}}") == "1:1");
  CHECK(place_of("{{channel.name}}", false) == "fine");
  CHECK(parse_template("{{sender.nmae}}", true).mistake->detail.find("did you mean sender.name?") != std::string::npos);
}

TEST_CASE("template: the text is that of the language, of its main language, or the one for all", "[unit][template]") {
  const auto definition = definition_of(R"({"name":"n","sender_id":"s","variants":[{"text":"all","texts":{"de":"de","pt-br":"br"}}]})");
  const auto text = [&](const char* language) { return definition.variants[0].in(language).pieces.at(0).text; };
  CHECK(text("") == "all");
  CHECK(text("DE") == "de");
  CHECK(text("de-AT") == "de");
  CHECK(text("pt-BR") == "br");
  CHECK(text("pt_BR") == "br");
  CHECK(text("de_AT") == "de");
  CHECK(text("pt") == "all");
}

TEST_CASE("template: variants divide by weight, and a recipient always gets the same", "[unit][template]") {
  const auto definition = definition_of(R"({"name":"n","sender_id":"s","variants":[{"text":"1"},{"text":"3","weight":3}]})");
  const auto campaign = new_uuid7(system_clock().now());
  int second = 0;
  for (int i = 0; i < 4'000; ++i) {
    const auto target = new_uuid7(system_clock().now());
    const auto chosen = definition.variant_of(campaign, target);
    CHECK(chosen == definition.variant_of(campaign, target));
    second += chosen == 1 ? 1 : 0;
  }
  CHECK(second > 2'800);                       // 3,000 are meant; 27 is one standard deviation
  CHECK(second < 3'200);
}

TEST_CASE("template: a clock on the wall has no offset", "[unit][template]") {
  CHECK(parse_wall_clock("2026-12-01T09:00") == parse_time("2026-12-01T09:00:00Z"));
  CHECK(parse_wall_clock("2026-12-01T09:00:30") == parse_time("2026-12-01T09:00:30Z"));
  for (const char* wrong : {"2026-12-01T09:00Z", "2026-12-01 09:00", "2026-13-01T09:00", "tomorrow", "", "2026-12-01T09:00:00+01"}) CHECK_FALSE(parse_wall_clock(wrong));
}
