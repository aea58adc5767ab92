#include "platform/chat/campaigns/recipients.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/campaigns/recipients.sql.h"

namespace chat::campaigns {
namespace {

constexpr int kCountedAtOnce = 5'000;

std::string array_of(const std::vector<std::string>& texts) {
  text::ArrayLiteral array;
  for (const auto& text : texts) array.add(text);
  return array.take();
}

Campaign lock_draft(storage::Transaction& tx, CampaignId id) {
  auto campaign = lock_campaign(tx, id);
  if (campaign.status != "draft") throw Error(Code::conflict, "A campaign that is " + campaign.status + " keeps its recipients.");
  return campaign;
}

std::map<std::string, Uuid> find_named(storage::Transaction& tx, const Campaign& campaign, const std::vector<std::string>& names) {
  const bool of_users = definition_of(campaign).of == segments::Of::users;
  std::map<std::string, Uuid> found;
  const auto rows = tx.query(of_users ? sql::find_named_users : sql::find_named_channels, tx.app(), array_of(names));
  for (auto row : rows) found[std::string(row.text(1))] = row.uuid(0);
  return found;
}

/// A place is "<number of the segment, from 1; 0: the named>:<after>".
struct Place {
  std::size_t source = 0;
  Uuid after;

  static Place parse(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) return {};
    return {std::stoul(text.substr(0, colon)), Uuid::parse(text.substr(colon + 1)).value_or(Uuid{})};
  }
  [[nodiscard]] std::string text() const { return std::to_string(source) + ":" + after.text(); }
};

struct Marks {
  std::map<std::string, std::int64_t> by_state;
  std::int64_t delivered = 0, read = 0;
};

void write_marks(json::Writer& out, Marks& marks) {
  for (const char* state : {"waiting", "sent", "skipped", "failed"}) out.field(state, marks.by_state[state]);
  out.field("delivered", marks.delivered).field("read", marks.read);
}

std::string recipient_json(const storage::Row& row, const Definition& definition) {
  json::Writer out;
  const bool of_users = definition.of == segments::Of::users;
  const auto variant = static_cast<std::size_t>(row.integer(3));
  out.object();
  if (const auto name = row.text(1); !name.empty()) out.field(of_users ? "user_id" : "cid", name);
  out.field("state", row.text(2)).field("variant", definition.variants.at(std::min(variant, definition.variants.size() - 1)).name);
  out.optional_time("due_at", row.optional_time(4)).optional_field("reason", row.optional_text(5)).optional_field("detail", row.optional_text(6));
  if (const auto message = row.optional_uuid(7)) out.field("message_id", MessageId{*message}.wire());
  if (const auto cid = row.optional_text(10); cid && of_users) out.field("cid", *cid);
  out.optional_time("sent_at", row.optional_time(8));
  if (const auto given = row.optional_text(9)) out.key("data").raw(*given);
  if (row.text(2) == "sent") out.key("delivered").boolean(row.boolean(11)).key("read").boolean(row.boolean(12));
  out.end();
  return out.take();
}

}  // namespace

std::int64_t count_named(storage::Transaction& tx, CampaignId id) { return tx.query(sql::count_named, tx.app(), id)[0].integer(0); }

void add_recipients(storage::Transaction& tx, CampaignId id, const std::vector<NamedInput>& recipients, Timestamp now) {
  const auto campaign = lock_draft(tx, id);
  std::vector<std::string> names;
  for (const auto& one : recipients) names.push_back(one.name);
  const auto found = find_named(tx, campaign, names);
  std::vector<FieldError> missing;
  text::ArrayLiteral ids, given;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    const auto known = found.find(recipients[i].name);
    if (known == found.end()) {
      missing.push_back({"#/recipients/" + std::to_string(i), "There is no such user or channel."});
      continue;
    }
    ids.add(known->second.text());
    if (recipients[i].values) given.add(*recipients[i].values);
    else given.add_null();
  }
  if (!missing.empty()) throw Error(Code::not_found, "Some recipients do not exist.", std::move(missing));
  tx.run(sql::put_recipients, tx.app(), id, ids.take(), given.take(), now);
  if (count_named(tx, id) > kMaxNamed) throw Error(Code::limit_reached, "A campaign may name 100,000 recipients; more are in segments.");
}

void remove_recipients(storage::Transaction& tx, CampaignId id, const std::vector<std::string>& names) {
  const auto campaign = lock_draft(tx, id);
  text::ArrayLiteral ids;
  for (const auto& [name, target] : find_named(tx, campaign, names)) ids.add(target.text());
  tx.run(sql::remove_recipients, tx.app(), id, ids.take());
}

Slice read_slice(storage::Transaction& tx, const Campaign& campaign, const Definition& definition, const std::string& from, int limit) {
  Place place = Place::parse(from);
  Slice slice;
  if (place.source == 0) {
    const auto rows = tx.query(sql::named_recipients, tx.app(), campaign.id, place.after, limit);
    for (auto row : rows) slice.targets.push_back(row.uuid(0));
  } else {
    const auto segment = segments::get_segment(tx, definition.segments.at(place.source - 1));
    for (const auto& target : segments::read_targets(tx, segment, place.after, limit)) slice.targets.push_back(target.id);
  }
  if (slice.targets.size() == static_cast<std::size_t>(limit)) place.after = slice.targets.back();
  else place = {place.source + 1, Uuid{}};
  slice.is_last = place.source > definition.segments.size();
  slice.place = place.text();
  return slice;
}

std::int64_t count_recipients(storage::Transaction& tx, const Campaign& campaign, const Definition& definition) {
  std::vector<Uuid> all;
  std::string place;
  for (bool is_last = false; !is_last;) {
    const auto slice = read_slice(tx, campaign, definition, place, kCountedAtOnce);
    all.insert(all.end(), slice.targets.begin(), slice.targets.end());
    if (all.size() > 2 * kMaxRecipients) break;
    place = slice.place;
    is_last = slice.is_last;
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.size() > kMaxRecipients) throw Error(Code::limit_reached, "A campaign may reach 1,000,000; divide it.");
  return static_cast<std::int64_t>(all.size());
}

std::string progress_json(storage::Transaction& tx, const Campaign& campaign) {
  const auto definition = definition_of(campaign);
  std::vector<Marks> variants(definition.variants.size());
  Marks all;
  const auto place = [&](const storage::Row& row) { return std::min(static_cast<std::size_t>(row.integer(0)), variants.size() - 1); };
  const auto states = tx.query(sql::count_states, tx.app(), campaign.id);
  std::int64_t recipients = 0;
  for (auto row : states) {
    const std::string state(row.text(1));
    variants[place(row)].by_state[state] += row.integer(2);
    all.by_state[state] += row.integer(2);
    recipients += row.integer(2);
  }
  const bool of_users = definition.of == segments::Of::users;
  const auto receipts = of_users ? tx.query(sql::count_receipts_of_users, tx.app(), campaign.id)
                                 : tx.query(sql::count_receipts_of_channels, tx.app(), campaign.id, campaign.sender_id);
  for (auto row : receipts) {
    for (Marks* marks : {&variants[place(row)], &all}) {
      marks->delivered += row.integer(1);
      marks->read += row.integer(2);
    }
  }
  json::Writer out;
  out.object().key("planned").boolean(campaign.planned).field("recipients", recipients);
  write_marks(out, all);
  const auto reasons = tx.query(sql::count_reasons, tx.app(), campaign.id);
  out.key("reasons").array();
  for (auto row : reasons) out.object().field("state", row.text(0)).field("reason", row.text(1)).field("count", row.integer(2)).end();
  out.end().key("variants").array();
  for (std::size_t i = 0; i < variants.size(); ++i) {
    out.object().field("name", definition.variants[i].name);
    write_marks(out, variants[i]);
    out.end();
  }
  out.end().end();
  return out.take();
}

storage::Page<std::string> list_recipients(storage::Transaction& tx, const Campaign& campaign, const std::string& state, int limit,
                                           const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|campaign_recipients|" + campaign.id.text() + "|" + state;
  const auto after = cursor ? Uuid::parse(cursors.open(scope, *cursor, "query:next").at(0)).value_or(Uuid{}) : Uuid{};
  const auto definition = definition_of(campaign);
  const auto rows = definition.of == segments::Of::users
                        ? tx.query(sql::list_recipients_of_users, tx.app(), campaign.id, state, after, limit + 1)
                        : tx.query(sql::list_recipients_of_channels, tx.app(), campaign.id, state, after, limit + 1, campaign.sender_id);
  storage::Page<std::string> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(recipient_json(rows[i], definition));
  if (rows.size() > limit) page.next = cursors.seal(scope, {rows[limit - 1].uuid(0).text()});
  return page;
}

}  // namespace chat::campaigns
