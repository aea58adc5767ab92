#include "platform/chat/presence/typing.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/presence/presence_events.h"
#include "platform/chat/presence/tell.h"
#include "platform/chat/presence/typing.sql.h"

namespace chat::presence {
namespace {

// Control words between nodes; detail: user id, cid, parent id, a line each.
constexpr std::string_view kStopped = "typing.stopped";
constexpr std::string_view kTaken = "typing.taken";

channels::Opened open_for_typing(storage::Transaction& tx, const std::string& user_id, const realtime::Typing& typing) {
  if (!typing.parent_id.empty() && !MessageId::parse(typing.parent_id)) throw invalid_field("#/parent_id", "Must be a message id: msg_…");
  const auto colon = typing.cid.find(':');
  if (colon == std::string::npos) throw not_found("channel");
  auto opened = channels::open_channel_as(tx, typing.cid.substr(0, colon), typing.cid.substr(colon + 1), user_id);
  if (!opened.settings.typing_events) throw forbidden("In channels of this type nobody is told who types.");
  opened.require(channels::Action::send_typing);
  return opened;
}

}  // namespace

bool Typists::due(AppId app, const std::string& user_id, const realtime::Typing& typing) {
  const Timestamp now = clock_.now();
  const Place place{app, user_id, typing.cid, typing.parent_id};
  if (typing.stops) {
    const auto ended = take(place);
    if (ended && ended->told) tell(place, *ended, kTypingStop);
    if (!ended) tell_others(place, kStopped);
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(place);
  if (found == entries_.end()) {
    if (entries_.size() >= kMax) return false;
    entries_.emplace(place, Entry{now, now + kLife, false, {}, {}});
    return true;
  }
  found->second.until = now + kLife;
  if (now < found->second.asked_at + kRepeat) return false;
  found->second.asked_at = now;
  return true;
}

std::optional<Typists::Entry> Typists::take(const Place& place) {
  const std::lock_guard lock(mutex_);
  auto taken = entries_.extract(place);
  if (taken.empty()) return std::nullopt;
  return std::move(taken.mapped());
}

/// The other nodes end it, or forget it: its end is told from where it was said last.
void Typists::on_control(const bus::Bus::Control& control) {
  if (control.word != kStopped && control.word != kTaken) return;
  auto words = text::split(control.detail, '\n');
  if (words.size() != 3) return;
  const Place place{control.app, std::move(words[0]), std::move(words[1]), std::move(words[2])};
  const auto ended = take(place);
  if (ended && ended->told && control.word == kStopped) tell(place, *ended, kTypingStop);
}

void Typists::tell_others(const Place& place, std::string_view word) {
  bus_.tell_others({std::string(word), place.app, place.user_id + '\n' + place.cid + '\n' + place.parent_id});
}

void Typists::start(storage::Transaction& tx, const std::string& user_id, const realtime::Typing& typing) {
  const Place place{tx.app(), user_id, typing.cid, typing.parent_id};
  const auto opened = [&] {
    try {
      return open_for_typing(tx, user_id, typing);
    } catch (const Error&) {
      const std::lock_guard lock(mutex_);
      entries_.erase(place);                       // refused again next time
      throw;
    }
  }();
  auto rows = tx.query(sql::who_must_not_hear, tx.app(), *opened.acting_id, opened.channel.id, opened.settings.open);
  if (rows[0].boolean(0)) return;
  auto except = text::parse_array_literal(rows[0].text(1));
  except.push_back(user_id);
  tx.after_commit([this, place, channel = opened.channel.id, except = std::move(except)] {
    Entry told;
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(place);
      if (found == entries_.end()) return;         // it took longer than anybody types
      found->second.told = true;
      found->second.channel = channel;
      found->second.except = except;
      told = found->second;
    }
    tell_others(place, kTaken);
    tell(place, told, kTypingStart);
  });
}

void Typists::turn() {
  const Timestamp now = clock_.now();
  std::vector<std::map<Place, Entry>::node_type> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto here = entry++;
      if (here->second.until <= now) ended.push_back(entries_.extract(here));
    }
    static auto& typists = metrics::gauge("chat_typists", "Users who type through this node, by channel and thread.");
    typists.set(static_cast<double>(entries_.size()));
  }
  for (const auto& entry : ended)
    if (entry.mapped().told) tell(entry.key(), entry.mapped(), kTypingStop);
}

void Typists::tell(const Place& place, const Entry& entry, std::string_view type) {
  static auto& told = metrics::counter("chat_typing_events_total", "typing.start and typing.stop told.");
  json::Writer data;
  data.object().field("user_id", place.user_id);
  if (!place.parent_id.empty()) data.field("parent_id", place.parent_id);
  data.end();
  tell_channel(bus_, place.app, entry.channel, place.cid, type, data.take(), entry.except, clock_.now());
  told.add();
}

}  // namespace chat::presence
