#include "platform/chat/search/search.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/search/search.sql.h"
#include "platform/chat/users/users.h"

namespace chat::search {
namespace {

using tenants::Caller;
using Tx = storage::Transaction;

constexpr char kMatchBegins = '\x01', kMatchEnds = '\x02';
constexpr Uuid kLowest{};
constexpr Uuid highest() {
  Uuid uuid;
  uuid.bytes.fill(0xFF);
  return uuid;
}

/// 'tag' as tsquery reads it.
std::string quoted(std::string_view tag) {
  std::string out = "'";
  for (char c : tag) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

/// Conditions that the index answers like words.
class Tags {
 public:
  void add_any_of(const char* kind, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::string group;
    for (const auto& value : values) group += (group.empty() ? "" : " | ") + quoted(kind + value);
    add("(" + group + ")");
  }
  void add(const std::string& condition) { text_ = text_ ? *text_ + " & " + condition : condition; }
  [[nodiscard]] const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

/// None: nobody of that name, so nothing can match.
std::optional<std::vector<std::string>> ids_of(Tx& tx, const std::vector<std::string>& senders) {
  std::vector<std::string> ids;
  if (senders.empty()) return ids;
  for (const auto& user : users::find_users(tx, senders)) ids.push_back(user.id.text());
  return ids.empty() ? std::nullopt : std::optional(ids);
}

std::optional<Tags> tags_of(Tx& tx, const MessageQuery& query) {
  auto senders = ids_of(tx, query.senders);
  if (!senders) return std::nullopt;
  Tags tags;
  tags.add_any_of("@u:", *senders);
  tags.add_any_of("@m:", query.mentions);
  tags.add_any_of("@t:", query.attachment_types);
  if (query.has_attachments) tags.add("'@a'");
  return tags;
}

/// False: the text holds words, but only such as the language leaves out ("the"), so nothing can match.
/// Errors:  invalid_field, when no word must occur
bool can_match(Tx& tx, const std::string& language, const MessageQuery& query) {
  if (!query.text) return true;
  auto rows = tx.query(sql::read_query, language, *query.text);
  if (rows[0].integer(1) == 0) return false;
  if (rows[0].text(0) == "T" || rows[0].text(0).empty())
    throw invalid_field("#/query", "Must hold a word that the messages shall have; only -words are not enough.");
  return true;
}

/// The channels that the query names, each through its door.
std::optional<std::string> named_channels(Tx& tx, const Caller& caller, const std::string& acting_user, const MessageQuery& query) {
  if (query.cids.empty()) return std::nullopt;
  text::ArrayLiteral ids;
  for (const auto& cid : query.cids) {
    const auto colon = cid.find(':');
    ids.add(channels::open_channel(tx, caller, cid.substr(0, colon), cid.substr(colon + 1), acting_user).channel.id.text());
  }
  return ids.take();
}

std::optional<UserId> id_of(Tx& tx, const std::string& acting_user) {
  if (acting_user.empty()) return std::nullopt;
  auto found = users::find_users(tx, {acting_user});
  if (found.empty()) throw not_found("user");
  return found.front().id;
}

std::string scope_of(Tx& tx, const std::string& acting_user, const MessageQuery& query) {
  json::Writer out;
  auto list = [&](const std::vector<std::string>& values) {
    out.array();
    for (const auto& value : values) out.text(value);
    out.end();
  };
  out.array().text(acting_user).text(query.text.value_or("")).boolean(query.by_relevance).boolean(query.has_attachments);
  for (const auto* values : {&query.cids, &query.senders, &query.mentions, &query.attachment_types}) list(*values);
  for (const auto& at : {query.since, query.until}) out.text(at ? format_time(*at) : "");
  out.end();
  return tx.app().text() + "|search|" + crypto::hex(crypto::sha256(out.take()));
}

/// Where a page begins. By relevance the candidates of all pages are those below `ceiling`, whatever is sent meanwhile.
struct Position {
  Uuid ceiling;
  std::optional<std::string> rank;
  Uuid id = highest();
};

Position position_of(const MessageQuery& query, const std::string& scope, const storage::Cursors& cursors, Timestamp now) {
  const Uuid until = query.until ? first_uuid7_at(*query.until) : highest();
  if (!query.next) return {query.by_relevance ? std::min(until, first_uuid7_at(now + std::chrono::milliseconds(1))) : until, std::nullopt};
  const auto fields = cursors.open(scope, *query.next);
  if (!query.by_relevance) return {*Uuid::parse(fields.at(0)), std::nullopt};
  return {*Uuid::parse(fields.at(0)), fields.at(1), *Uuid::parse(fields.at(2))};
}

struct Place {
  ChannelId channel;
  MessageId id;
};

/// Those whose channel the caller may still read, through its door.
std::vector<Place> readable(Tx& tx, const Caller& caller, const std::string& acting_user, std::vector<Place> places,
                            const std::vector<messages::Message>& found) {
  std::unordered_set<MessageId> shown;
  std::unordered_set<std::string> cids;
  for (const auto& message : found) {
    if (message.erased || message.deleted_at || (message.seq == 0 && message.user_id != acting_user)) continue;
    shown.insert(message.id);
    cids.insert(message.cid);
  }
  std::unordered_set<ChannelId> open;
  for (const auto& opened : channels::open_channels(tx, caller, {cids.begin(), cids.end()}, acting_user)) open.insert(opened.channel.id);
  std::erase_if(places, [&](const Place& place) { return !shown.contains(place.id) || !open.contains(place.channel); });
  return places;
}

std::vector<Piece> pieces_of(std::string_view headline) {
  std::vector<Piece> pieces;
  bool match = false;
  while (!headline.empty()) {
    const auto end = std::min(headline.find(match ? kMatchEnds : kMatchBegins), headline.size());
    if (end > 0) pieces.push_back({std::string(headline.substr(0, end)), match});
    headline.remove_prefix(std::min(end + 1, headline.size()));
    match = !match;
  }
  return pieces;
}

std::unordered_map<MessageId, std::vector<Piece>> snippets_of(Tx& tx, const std::string& language, const MessageQuery& query,
                                                              const std::vector<Place>& places) {
  std::unordered_map<MessageId, std::vector<Piece>> snippets;
  if (!query.text || places.empty()) return snippets;
  text::ArrayLiteral channels, ids;
  for (const auto& place : places) {
    channels.add(place.channel.text());
    ids.add(place.id.text());
  }
  auto rows = tx.query(sql::write_snippets, tx.app(), channels.take(), ids.take(), language, *query.text);
  for (auto row : rows) snippets[MessageId{row.uuid(0)}] = pieces_of(row.text(1));
  return snippets;
}

std::vector<messages::Message> load(Tx& tx, const std::vector<Place>& places) {
  std::vector<messages::MessagePlace> wanted;
  for (const auto& place : places) wanted.push_back({place.channel, place.id});
  return messages::find_messages(tx, wanted);
}

}  // namespace

storage::Page<Hit> search_messages(Tx& tx, const Caller& caller, const std::string& acting_user, const MessageQuery& query,
                                   const storage::Cursors& cursors, Timestamp now) {
  storage::Page<Hit> page;
  const auto& language = caller.application().settings.search_language;
  if (language == "off") throw forbidden("Search is off for this application.");
  const auto user = id_of(tx, acting_user);
  const auto named = named_channels(tx, caller, acting_user, query);
  const auto scope = scope_of(tx, acting_user, query);
  const auto from = position_of(query, scope, cursors, now);
  const auto tags = tags_of(tx, query);
  if (!tags || !can_match(tx, language, query)) return page;

  const Uuid above = query.since ? first_uuid7_at(*query.since) : kLowest;
  const int candidates = query.by_relevance ? kRanked : query.limit + 1;
  auto rows = tx.query(sql::search_messages, tx.app(), user, named, language, query.text, tags->text(), above, from.ceiling, candidates,
                       query.limit + 1, query.by_relevance, from.rank, from.id, query.limit + 1);
  std::vector<Place> places;
  for (int i = 0; i < rows.size() && i < query.limit; ++i)
    places.push_back({ChannelId{rows[i].uuid(0)}, MessageId{rows[i].uuid(1)}});
  if (rows.size() > query.limit) {
    const auto last = rows[query.limit - 1];
    page.next = query.by_relevance
                    ? cursors.seal(scope, {from.ceiling.text(), std::string(last.text(2)), last.uuid(1).text()})
                    : cursors.seal(scope, {last.uuid(1).text()});
  }
  auto found = load(tx, places);
  places = readable(tx, caller, acting_user, std::move(places), found);
  auto snippets = snippets_of(tx, language, query, places);
  for (const auto& place : places) {
    auto message = std::find_if(found.begin(), found.end(), [&](const auto& m) { return m.id == place.id; });
    page.items.push_back({std::move(*message), std::move(snippets[place.id])});
  }
  return page;
}

storage::Page<channels::Opened> search_channels(Tx& tx, const Caller& caller, const std::string& acting_user, const std::string& text,
                                                int limit, const std::optional<std::string>& next, const storage::Cursors& cursors) {
  const auto scope = tx.app().text() + "|search_channels|" + acting_user + "|" + crypto::hex(crypto::sha256(text));
  std::optional<std::string> after_name;
  std::optional<Uuid> after_id;
  if (next) {
    const auto fields = cursors.open(scope, *next);
    after_name = fields.at(0);
    after_id = Uuid::parse(fields.at(1));
  }
  auto rows = tx.query(sql::search_channels, tx.app(), id_of(tx, acting_user), text, after_name, after_id, limit + 1);
  storage::Page<channels::Opened> page;
  std::vector<std::string> cids;
  for (int i = 0; i < rows.size() && i < limit; ++i)
    cids.push_back(std::string(rows[i].text(1)) + ":" + std::string(rows[i].text(2)));
  std::unordered_map<ChannelId, channels::Opened> open;
  for (auto& opened : channels::open_channels(tx, caller, cids, acting_user)) open.try_emplace(opened.channel.id, std::move(opened));
  for (int i = 0; i < rows.size() && i < limit; ++i)
    if (auto opened = open.find(ChannelId{rows[i].uuid(0)}); opened != open.end()) page.items.push_back(std::move(opened->second));
  if (rows.size() > limit) {
    const auto last = rows[limit - 1];
    page.next = cursors.seal(scope, {std::string(last.text(3)), last.uuid(0).text()});
  }
  return page;
}

}  // namespace chat::search
