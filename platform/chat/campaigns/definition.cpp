#include "platform/chat/campaigns/definition.h"

#include <algorithm>
#include <set>

#include "platform/base/crypto.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels.h"
#include "tenants/tokens.h"

namespace chat::campaigns {
namespace {

constexpr json::Text kName{.min_bytes = 1, .max_bytes = 255};
constexpr std::size_t kMaxTextBytes = 20'000, kMaxCustomBytes = 5 * 1024, kMaxAttachments = 30, kMaxAttachmentBytes = 32 * 1024;

bool is_language(std::string_view tag) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return tag.size() >= 2 && tag.size() <= 16 && tag.front() != '-' && tag.back() != '-' && std::ranges::all_of(tag, fits);
}

bool is_word(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

Template read_text(json::Fields& fields, const std::string& name, const std::string& text, bool of_users) {
  auto parsed = parse_template(text, of_users);
  if (const auto& mistake = parsed.mistake)
    fields.mistake_at(name, std::to_string(mistake->line) + ":" + std::to_string(mistake->column) + ": " + mistake->detail);
  return parsed;
}

void read_texts(json::Fields& fields, Variant& variant, bool of_users) {
  const auto texts = fields.find_object("texts");
  if (!texts) return;
  if (texts->members().size() > kMaxLanguages) fields.mistake("texts", "50 languages at most.");
  for (const auto& [language, text] : texts->members()) {
    const std::string at = "texts/" + std::string(language);
    if (!is_language(language)) fields.mistake_at(at, "Must be a language: en, pt-br.");
    else if (text.kind() != json::Kind::text || text.text().empty() || text.text().size() > kMaxTextBytes)
      fields.mistake_at(at, "Must be a text of 1 to 20,000 bytes.");
    else variant.texts.emplace(language, read_text(fields, at, std::string(text.text()), of_users));
  }
}

Variant read_variant(json::Fields& fields, std::size_t place, bool of_users) {
  Variant variant;
  variant.name = fields.find_text("name", {.min_bytes = 1, .max_bytes = 64}).value_or(std::string(1, static_cast<char>('a' + place)));
  variant.weight = fields.find_integer("weight", {1, kMaxWeight}).value_or(1);
  const auto text = fields.find_text("text", {.min_bytes = 1, .max_bytes = kMaxTextBytes});
  if (text) variant.text = read_text(fields, "text", *text, of_users);
  read_texts(fields, variant, of_users);
  if (const auto attachments = fields.find_array("attachments", kMaxAttachments, 1)) {
    json::Writer out;
    out.array();
    for (std::size_t i = 0; i < attachments->size(); ++i) {
      if ((*attachments)[i].kind() != json::Kind::object) fields.mistake_at("attachments/" + std::to_string(i), "Must be an object.");
      out.raw((*attachments)[i].raw());
    }
    variant.attachments = out.end().take();
    if (variant.attachments->size() > kMaxAttachmentBytes) fields.mistake("attachments", "Must be 32 KiB at most.");
  }
  variant.custom = fields.find_raw_object("custom", kMaxCustomBytes);
  if (!fields.has("text") && (!variant.attachments || fields.has("texts"))) fields.mistake("text", "Required: for those whose language has no text of its own.");
  fields.check_unknown();
  return variant;
}

void read_variants(json::Fields& body, Definition& definition) {
  const auto items = body.find_array("variants", kMaxVariants, 1);
  if (!items && !body.has("variants")) body.mistake("variants", "Required: 1 to 10 messages.");
  std::set<std::string> names;
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    json::Fields fields((*items)[i], body.pointer("variants") + "/" + std::to_string(i));
    definition.variants.push_back(read_variant(fields, i, definition.of == segments::Of::users));
    if (!names.insert(definition.variants.back().name).second) fields.mistake("name", "Stands twice.");
    body.absorb(fields);
  }
}

void read_schedule(json::Fields& body, Definition& definition) {
  const auto given = body.find_object("schedule");
  if (!given) return;
  json::Fields fields(*given, body.pointer("schedule"));
  auto& schedule = definition.schedule;
  schedule.at = fields.find_text("at");
  schedule.local_time = fields.find_text("local_time");
  schedule.zone = fields.find_text("time_zone", {.min_bytes = 1, .max_bytes = 64}).value_or("UTC");
  for (const auto& [name, text] : {std::pair{"at", schedule.at}, std::pair{"local_time", schedule.local_time}})
    if (text && !parse_wall_clock(*text)) fields.mistake(name, "Must be a time on the clock without an offset: 2026-12-01T09:00.");
  if (fields.has("at") == fields.has("local_time")) fields.mistake("at", "One of at and local_time.");
  if (schedule.local_time && definition.of != segments::Of::users) fields.mistake("local_time", "Channels are in no time zone; use at.");
  fields.check_unknown();
  body.absorb(fields);
}

void read_segments(json::Fields& body, Definition& definition) {
  const auto names = body.find_texts("segments", kMaxCampaignSegments, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto id = segments::SegmentId::parse(names[i]);
    if (!id) body.mistake_at("segments/" + std::to_string(i), "Must be the id of a segment.");
    else if (std::ranges::find(definition.segments, *id) != definition.segments.end()) body.mistake_at("segments/" + std::to_string(i), "Stands twice.");
    else definition.segments.push_back(*id);
  }
}

void read_channel(json::Fields& body, Definition& definition) {
  const auto given = body.find_object("channel");
  if (!given) return;
  if (definition.of != segments::Of::users) return body.mistake("channel", "The channels are the targets.");
  json::Fields fields(*given, body.pointer("channel"));
  definition.type = fields.find_text("type", {.min_bytes = 1, .max_bytes = 64}).value_or("messaging");
  if (!channels::is_channel_type(definition.type)) fields.mistake("type", "Must be a channel type.");
  definition.create = fields.find_boolean("create").value_or(true);
  definition.team = fields.find_text("team", {.min_bytes = 1, .max_bytes = 255});
  fields.check_unknown();
  body.absorb(fields);
}

}  // namespace

const Template& Variant::in(const std::string& language) const {
  auto whole = text::lower_ascii(language);
  std::ranges::replace(whole, '_', '-');
  for (const auto& tag : {whole, whole.substr(0, whole.find('-'))})
    if (const auto found = texts.find(tag); found != texts.end()) return found->second;
  return text;
}

std::int64_t Definition::weights() const {
  std::int64_t sum = 0;
  for (const auto& variant : variants) sum += variant.weight;
  return sum;
}

std::size_t Definition::variant_of(const Uuid& campaign, const Uuid& target) const {
  if (variants.size() < 2) return 0;
  const auto hash = crypto::sha256(campaign.text() + target.text());
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8U | static_cast<unsigned char>(hash[static_cast<std::size_t>(i)]);
  auto place = static_cast<std::int64_t>(number % static_cast<std::uint64_t>(weights()));
  std::size_t chosen = 0;
  while (place >= variants[chosen].weight) place -= variants[chosen++].weight;
  return chosen;
}

std::optional<Timestamp> parse_wall_clock(const std::string& text) {
  if (text.size() != 16 && text.size() != 19) return std::nullopt;
  return parse_time(text + (text.size() == 16 ? ":00Z" : "Z"));
}

Definition read_definition(json::Fields& body) {
  Definition definition;
  definition.name = body.text("name", kName);
  definition.sender = body.text("sender_id", {.min_bytes = 1});
  if (!definition.sender.empty() && !tenants::is_user_id(definition.sender)) body.mistake("sender_id", "Must be a user_id.");
  definition.of = segments::parse_of(body.find_word("of", {"users", "channels"}).value_or("users"));
  read_segments(body, definition);
  read_channel(body, definition);
  read_variants(body, definition);
  read_schedule(body, definition);
  definition.category = body.find_text("category", {.min_bytes = 1, .max_bytes = 64});
  if (definition.category && !is_word(*definition.category)) body.mistake("category", "Must be 1-64 of a-z 0-9 _ -.");
  definition.rate = body.find_integer("rate", {1, kMaxRate});
  definition.skip_muted = body.find_boolean("skip_muted").value_or(true);
  return definition;
}

}  // namespace chat::campaigns
