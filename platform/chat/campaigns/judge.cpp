#include "platform/chat/campaigns/judge.h"

#include "platform/base/text.h"
#include "platform/chat/campaigns/sending.sql.h"

namespace chat::campaigns {
namespace {

std::string array_of(const std::vector<Uuid>& ids) {
  text::ArrayLiteral array;
  for (const auto& id : ids) array.add(id.text());
  return array.take();
}

/// Members of an object whose values a text can show, as variables `prefix`key.
void add_members(std::map<std::string, std::string, std::less<>>& values, const std::string& prefix, const std::optional<std::string>& object) {
  if (!object) return;
  const auto document = json::Document::parse(*object);
  for (const auto& [key, value] : document.root().members()) {
    const auto name = prefix + std::string(key);
    if (value.kind() == json::Kind::text) values[name] = value.text();
    else if (value.kind() == json::Kind::integer || value.kind() == json::Kind::number) values[name] = value.raw();
    else if (value.kind() == json::Kind::boolean) values[name] = value.boolean() ? "true" : "false";
  }
}

void add_common(const Work& work, Judged& judged) {
  judged.values["sender.id"] = work.campaign.sender;
  judged.values["sender.name"] = work.sender_name.value_or("");
  judged.values["campaign.name"] = work.definition.name;
}

std::optional<MessageId> message_in(const std::optional<Uuid>& id) { return id ? std::optional(MessageId{*id}) : std::nullopt; }

std::vector<Judged> judge_users(storage::Transaction& tx, const Work& work, const std::vector<Uuid>& targets, Timestamp now) {
  const auto& definition = work.definition;
  std::vector<Judged> all;
  const auto rows = tx.query(sql::judge_users, tx.app(), work.campaign.id, array_of(targets), work.campaign.sender_id, work.campaign.sender,
                             definition.type, definition.team, definition.category.value_or(""), definition.skip_muted, definition.create, now);
  for (auto row : rows) {
    Judged judged;
    judged.target = row.uuid(0);
    judged.reason = row.optional_text(1);
    judged.name = row.text(2);
    judged.channel_type = definition.type;
    judged.channel_id = row.optional_text(8).value_or("");
    judged.has_channel = row.optional_uuid(7).has_value();
    judged.language = row.text(6);
    judged.values["user.id"] = judged.name;
    judged.values["user.name"] = row.optional_text(3).value_or("");
    judged.values["user.username"] = row.optional_text(4).value_or("");
    add_members(judged.values, "user.custom.", row.optional_text(5));
    add_members(judged.values, "data.", row.optional_text(9));
    judged.attempts = row.integer(10);
    judged.variant = row.integer(11);
    judged.message = message_in(row.optional_uuid(12));
    add_common(work, judged);
    all.push_back(std::move(judged));
  }
  return all;
}

std::vector<Judged> judge_channels(storage::Transaction& tx, const Work& work, const std::vector<Uuid>& targets) {
  std::vector<Judged> all;
  const auto rows = tx.query(sql::judge_channels, tx.app(), work.campaign.id, array_of(targets), work.campaign.sender_id);
  for (auto row : rows) {
    Judged judged;
    judged.target = row.uuid(0);
    judged.reason = row.optional_text(1);
    judged.channel_type = row.text(2);
    judged.channel_id = row.text(3);
    judged.name = judged.channel_id.empty() ? "" : judged.channel_type + ":" + judged.channel_id;
    judged.values["channel.id"] = judged.channel_id;
    judged.values["channel.type"] = judged.channel_type;
    judged.values["channel.name"] = row.optional_text(4).value_or("");
    add_members(judged.values, "data.", row.optional_text(5));
    judged.attempts = row.integer(6);
    judged.variant = row.integer(7);
    judged.message = message_in(row.optional_uuid(8));
    add_common(work, judged);
    all.push_back(std::move(judged));
  }
  return all;
}

}  // namespace

std::optional<Work> open_work(storage::Transaction& tx, Campaign campaign) {
  const auto rows = tx.find(sql::sender_state, tx.app(), campaign.sender_id);
  if (!rows) return std::nullopt;
  auto definition = definition_of(campaign);
  return Work{std::move(campaign), std::move(definition), (*rows)[0].optional_text(0)};
}

std::vector<Judged> judge(storage::Transaction& tx, const Work& work, const std::vector<Uuid>& targets, Timestamp now) {
  return work.definition.of == segments::Of::users ? judge_users(tx, work, targets, now) : judge_channels(tx, work, targets);
}

Written write(const Work& work, const Judged& judged, std::size_t variant) {
  const auto& chosen = work.definition.variants.at(std::min(variant, work.definition.variants.size() - 1));
  const auto rendered = render(chosen.in(judged.language), [&](std::string_view name) -> std::optional<std::string> {
    const auto found = judged.values.find(name);
    return found == judged.values.end() ? std::nullopt : std::optional(found->second);
  });
  if (rendered.missing) return {"", "", rendered.missing};
  json::Writer body;
  body.object();
  if (!rendered.text.empty()) body.field("text", rendered.text);
  if (chosen.attachments) body.key("attachments").raw(*chosen.attachments);
  if (chosen.custom) body.key("custom").raw(*chosen.custom);
  body.end();
  return {rendered.text, body.take(), std::nullopt};
}

}  // namespace chat::campaigns
