#include "platform/chat/polls/polls.h"

#include <algorithm>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/polls/polls.sql.h"
#include "platform/chat/polls/polls_events.h"
#include "platform/chat/polls/told.h"

namespace chat::polls {
namespace {

using channels::Action;
using channels::Opened;

struct Poll {
  int options = 0, max_votes = 0;
  bool anonymous = false;
  std::optional<Timestamp> closes_at;
  bool closed = false, allow_suggestions = false;
  bool is_shadowed = false;                    // said in the shadow
};

Poll read_poll(const storage::Row& row) {
  return {static_cast<int>(row.integer(0)), static_cast<int>(row.integer(1)), row.boolean(2), row.optional_time(3), row.boolean(4), row.boolean(5)};
}

messages::Message get_message(storage::Transaction& tx, const Opened& opened, MessageId id) {
  auto message = messages::get_message(tx, opened.channel, id);
  if (message.deleted_at) throw not_found("message");
  return message;
}

Poll lock_open_poll(storage::Transaction& tx, const Opened& opened, MessageId id, Timestamp now) {
  const auto message = get_message(tx, opened, id);
  auto rows = tx.find(sql::lock_poll, tx.app(), opened.channel.id, id);
  if (!rows) throw not_found("poll");
  auto poll = read_poll((*rows)[0]);
  poll.is_shadowed = message.seq == 0;
  if (poll.closed || (poll.closes_at && *poll.closes_at <= now)) throw Error(Code::conflict, "This poll is closed.");
  return poll;
}

/// Of the acting user. Shadowed ones are counted for nobody else.
struct Own {
  std::vector<int> votes, shadowed;
};
using OwnVotes = std::unordered_map<Uuid, Own>;

OwnVotes own_votes_of(storage::Transaction& tx, const Opened& opened, const std::vector<MessageId>& messages) {
  text::ArrayLiteral ids;
  OwnVotes own;
  for (const auto& id : messages) {
    ids.add(id.text());
    own[id.uuid];
  }
  auto rows = tx.query(sql::list_own_votes, tx.app(), opened.channel.id, ids.take(), *opened.acting_id);
  for (auto row : rows) {
    own[row.uuid(0)].votes.push_back(static_cast<int>(row.integer(1)));
    if (row.boolean(2)) own[row.uuid(0)].shadowed.push_back(static_cast<int>(row.integer(1)));
  }
  return own;
}

void write_votes(json::Writer& out, std::string_view name, const std::vector<int>& votes) {
  out.key(name).array();
  for (int option : votes) out.text(std::to_string(option));
  out.end();
}

/// Where nobody may learn who voted for what, and in the shadow, servers don't hear of a vote either.
void tell_voter(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id, bool hidden, const std::vector<int>& votes,
                Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = kPollVoted;
  event.reach = hidden ? bus::Reach::devices : bus::Reach::user;
  event.channel = opened.channel.id;
  event.cid = opened.channel.cid();
  event.user_id = opened.acting_user;
  event.created_at = now;
  json::Writer data;
  data.object().field("message_id", id.wire());
  write_votes(data, "options", votes);
  data.end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
}

/// The options with the votes that only their owner sees.
void write_options(json::Writer& out, const json::Value& options, const std::vector<int>& shadowed) {
  out.array();
  for (const auto& option : options.items()) {
    const int place = std::stoi(std::string(option.find("id")->text()));
    const int more = std::find(shadowed.begin(), shadowed.end(), place) != shadowed.end() ? 1 : 0;
    out.object();
    for (const auto& [member, content] : option.members()) {
      if (member == "votes") out.field(member, content.integer() + more);
      else out.key(member).raw(content.raw());
    }
    out.end();
  }
  out.end();
}

void write_poll(json::Writer& out, const json::Value& poll, const Own& own) {
  const bool is_uncounted = !own.votes.empty() && own.votes.size() == own.shadowed.size();
  out.object();
  for (const auto& [member, content] : poll.members()) {
    out.key(member);
    if (member == "options" && !own.shadowed.empty()) write_options(out, content, own.shadowed);
    else if (member == "voter_count" && is_uncounted) out.integer(content.integer() + 1);
    else out.raw(content.raw());
  }
  write_votes(out, "own_votes", own.votes);
  out.end();
}

std::string with_own_votes(const std::string& extras, const Own& own) {
  const auto document = json::Document::parse(extras);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members()) {
    if (name != "poll") {
      out.key(name).raw(value.raw());
      continue;
    }
    out.key(name);
    write_poll(out, value, own);
  }
  out.end();
  return out.take();
}

}  // namespace

void count_change(const char* change) {
  constexpr const char* kHelp = "Votes cast and retracted, options suggested, and polls closed and told of.";
  metrics::counter("chat_polls_changed_total", kHelp, {{"change", change}}).add();
}

void tell_channel(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, std::string_view type,
                  const messages::Message& message, Timestamp now) {
  auto data = messages::message_data(message);
  if (message.seq > 0) channels::tell(tx, bus, channel, now, {{.type = type, .data = std::move(data), .message = message.id}});
  else if (message.user_id) channels::tell_devices(tx, bus, channel, *message.user_id, now, type, std::move(data));
}

namespace {

void check_may_vote(const Opened& opened) {
  opened.require(Action::vote_in_poll);
  if (opened.channel.frozen && !opened.may(Action::send_in_frozen))
    throw Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
}

}  // namespace

Voted suggest_option(storage::Transaction& tx, const Opened& opened, MessageId id, const std::string& text, Timestamp now) {
  check_may_vote(opened);
  const auto poll = lock_open_poll(tx, opened, id, now);
  if (!poll.allow_suggestions) throw forbidden("This poll takes no suggestions.");
  const auto found = tx.query(sql::find_option, tx.app(), opened.channel.id, id, text, *opened.acting_id);
  if (!found[0].is_null(0)) return {false, messages::get_message(tx, opened.channel, id)};
  if (poll.options >= static_cast<int>(messages::kMaxPollOptions)) throw Error(Code::limit_reached, "A poll has 20 options at most.");
  if (!found[0].boolean(1)) tx.run(sql::add_option, tx.app(), opened.channel.id, id, text, *opened.acting_id);
  tx.after_commit([] { count_change("suggested"); });
  return {true, messages::get_message(tx, opened.channel, id)};
}

Voted vote_in_poll(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id, const std::vector<int>& options,
                   Timestamp now) {
  check_may_vote(opened);
  const auto poll = lock_open_poll(tx, opened, id, now);
  auto votes = own_votes_of(tx, opened, {id})[id.uuid].votes;
  std::vector<int> fresh;
  for (int option : options) {
    if (option > poll.options) throw Error(Code::not_found, "No such option.", {{"#/options", "No such option."}});
    if (std::find(votes.begin(), votes.end(), option) == votes.end()) fresh.push_back(option);
  }
  if (fresh.empty()) return {false, messages::get_message(tx, opened.channel, id)};
  if (poll.max_votes == 1 && fresh.size() == 1 && votes.size() == 1) {
    tx.run(sql::delete_vote, tx.app(), opened.channel.id, id, *opened.acting_id, votes.front());
    votes.clear();
  }
  if (static_cast<int>(votes.size() + fresh.size()) > poll.max_votes)
    throw Error(Code::limit_reached, "This poll takes " + std::to_string(poll.max_votes) + " of each user's votes; retract one first.");
  bool hidden = poll.anonymous || poll.is_shadowed;
  for (int option : fresh) {
    hidden |= tx.query(sql::insert_vote, tx.app(), opened.channel.id, id, *opened.acting_id, option, now)[0].boolean(0);
    votes.push_back(option);
  }
  std::sort(votes.begin(), votes.end());
  tell_voter(tx, bus, opened, id, hidden, votes, now);
  tx.after_commit([] { count_change("voted"); });
  return {true, messages::get_message(tx, opened.channel, id)};
}

messages::Message retract_vote(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id, int option, Timestamp now) {
  const auto poll = lock_open_poll(tx, opened, id, now);
  const auto vote = tx.find(sql::delete_vote, tx.app(), opened.channel.id, id, *opened.acting_id, option);
  if (!vote) throw not_found("vote");
  tell_voter(tx, bus, opened, id, poll.anonymous || poll.is_shadowed || (*vote)[0].boolean(0), own_votes_of(tx, opened, {id})[id.uuid].votes, now);
  tx.after_commit([] { count_change("retracted"); });
  return messages::get_message(tx, opened.channel, id);
}

messages::Message close_poll(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id, Timestamp now) {
  auto message = get_message(tx, opened, id);
  if (opened.acting_user.empty() || message.user_id != opened.acting_user) opened.require(Action::close_poll);
  if (!tx.find(sql::lock_poll, tx.app(), opened.channel.id, id)) throw not_found("poll");
  if (!tx.find(sql::close_poll, tx.app(), opened.channel.id, id, now, opened.acting_id)) return message;
  message = messages::get_message(tx, opened.channel, id);
  tell_channel(tx, bus, opened.channel, kPollClosed, message, now);
  tx.after_commit([] { count_change("closed"); });
  return message;
}

storage::Page<Vote> list_votes(storage::Transaction& tx, const Opened& opened, MessageId id, const std::optional<int>& option, int limit,
                               const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  get_message(tx, opened, id);
  auto found = tx.find(sql::get_poll, tx.app(), opened.channel.id, id);
  if (!found) throw not_found("poll");
  if (read_poll((*found)[0]).anonymous) throw forbidden("This poll is anonymous: nobody is told who voted for what.");
  const std::string scope = tx.app().text() + "|votes|" + id.text() + "|" + (option ? std::to_string(*option) : "");
  std::optional<std::string> after_option, after_time, after_user;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_option = position.at(0);
    after_time = position.at(1);
    after_user = position.at(2);
  }
  const auto only = option ? std::optional<std::int64_t>(*option) : std::nullopt;
  auto rows = tx.query(sql::list_votes, tx.app(), opened.channel.id, id, only, limit + 1, after_option, after_time, after_user,
                       opened.channel.sees_shadowed, opened.channel.reader);
  storage::Page<Vote> page;
  for (int i = 0; i < rows.size() && i < limit; ++i)
    page.items.push_back({std::string(rows[i].text(1)), static_cast<int>(rows[i].integer(0)), rows[i].time(2)});
  if (rows.size() > limit) {
    auto last = rows[limit - 1];
    page.next = cursors.seal(scope, {std::string(last.text(0)), format_time(last.time(2)), last.uuid(3).text()});
  }
  return page;
}

void add_own(storage::Transaction& tx, const Opened& opened, std::vector<messages::Message>& messages) {
  if (!opened.acting_id) return;
  std::vector<MessageId> with_poll;
  for (const auto& message : messages)
    if (message.extras && message.extras->find("\"poll\"") != std::string::npos) with_poll.push_back(message.id);
  if (with_poll.empty()) return;
  const auto own = own_votes_of(tx, opened, with_poll);
  for (auto& message : messages)
    if (auto votes = own.find(message.id.uuid); votes != own.end()) message.extras = with_own_votes(*message.extras, votes->second);
}

}  // namespace chat::polls
