#include <algorithm>

#include "platform/realtime/hub.h"

namespace chat::realtime {
namespace {

Follow* find_follow(Session& session, const std::string& key) {
  const auto found = std::ranges::lower_bound(session.follows, key, {}, &Follow::key);
  return found == session.follows.end() || found->key != key ? nullptr : &*found;
}

}  // namespace

void Hub::follow(Session& session, const std::vector<std::string>& user_ids) {
  std::vector<Follow> wanted;
  wanted.reserve(user_ids.size());
  for (const auto& user_id : user_ids) {
    std::string key = scoped(session.identity.app, user_id);
    if (find_follow(session, key) == nullptr) followers_[key].push_back(&session);
    wanted.push_back({std::move(key), Follow::kNothing});
  }
  wanted.swap(session.follows);
  for (const auto& before : wanted) {
    if (find_follow(session, before.key) == nullptr) unfollow(session, before.key);
  }
}

void Hub::unfollow(Session& session, const std::string& user_key) {
  const auto found = followers_.find(user_key);
  std::erase(found->second, &session);
  if (found->second.empty()) followers_.erase(found);
}

std::vector<std::string> Hub::note_told(Session& session, const std::vector<std::pair<std::string, Status>>& users) {
  std::vector<std::string> changed;
  const std::size_t prefix = session.identity.app.uuid.bytes.size();
  for (auto& follow : session.follows) {
    if (follow.told == Follow::kChanged) changed.push_back(follow.key.substr(prefix));
    follow.told = static_cast<std::uint8_t>(Status::offline);
  }
  for (const auto& [user_id, status] : users) {
    if (Follow* follow = find_follow(session, scoped(session.identity.app, user_id))) follow->told = static_cast<std::uint8_t>(status);
  }
  return changed;
}

Hub::Copies Hub::tell_followers(const PresenceNews& news) {
  const std::string key = scoped(news.app, news.user_id);
  const auto found = followers_.find(key);
  if (found == followers_.end()) return {};
  const LocalFrame shown(share_frame(Opcode::text, news.frame)), hidden(share_frame(Opcode::text, news.offline_frame));
  Copies copies;
  for (Session* session : found->second) {
    Follow& follow = *find_follow(*session, key);
    if (follow.told >= Follow::kChanged) {
      follow.told = Follow::kChanged;
      continue;
    }
    const bool may_see = !std::ranges::binary_search(news.hidden_from, session->identity.user_id);
    const auto status = static_cast<std::uint8_t>(may_see ? news.status : Status::offline);
    if (follow.told == status) continue;
    follow.told = status;
    const LocalFrame& frame = may_see ? shown : hidden;
    send_(*session, frame, Kind::live);
    ++copies.count;
    copies.bytes += static_cast<std::int64_t>(frame.size());
  }
  return copies;
}

std::vector<std::string> Hub::followers(const std::string& user_key) const {
  std::vector<std::string> users;
  const auto found = followers_.find(user_key);
  if (found == followers_.end()) return users;
  for (const Session* session : found->second) users.push_back(session->identity.user_id);
  return users;
}

}  // namespace chat::realtime
