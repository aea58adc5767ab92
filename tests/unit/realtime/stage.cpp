#include "tests/unit/realtime/stage.h"

#include <nlohmann/json.hpp>

namespace chat::realtime {

using namespace std::chrono_literals;

Stage::Stage(Options options, Audiences::Bounds bounds)
    : app_(AppId::make(system_clock().now())),
      hub_([this](Session& session, const LocalFrame& frame, Kind) { note(session, frame); }, 1 << 20) {
  storage::DatabaseOptions nowhere;
  nowhere.dsn = "host=/nowhere";
  connection_ = std::make_unique<storage::Connection>(nowhere);
  Audiences::Source source;
  source.submit = [this](storage::Pool::Task task) {
    if (!refuses_) jobs_.push_back({std::move(task), std::nullopt});
    return !refuses_;
  };
  source.load_audience = [this](storage::Connection&, AppId, ChannelId id) -> std::optional<Audience> {
    if (fails_) throw Error(Code::unavailable, "away");
    Channel* channel = find(id);
    if (channel == nullptr) return std::nullopt;
    return Audience{channel->epoch, channel->last_seq, {channel->members.begin(), channel->members.end()}, false};
  };
  source.load_missed = [this](storage::Connection&, AppId, ChannelId id, std::int64_t from, std::int64_t to)
      -> std::optional<std::vector<Missed>> {
    if (fails_) throw Error(Code::unavailable, "away");
    Channel* channel = find(id);
    if (channel == nullptr) return std::nullopt;
    std::vector<Missed> missed;
    for (std::int64_t seq = from + 1; seq <= to; ++seq) {
      if (channel->purged.contains(seq)) return std::nullopt;
      missed.push_back({seq, bus::render(*channel->events.at(seq))});
    }
    return missed;
  };
  source.now = [this] { return now_; };
  audiences_ = std::make_unique<Audiences>(options, bounds, std::move(source), *this, presence_);
}

Stage::~Stage() = default;

Stage::Channel* Stage::find(ChannelId id) {
  for (auto& [cid, channel] : snapshot_ ? *snapshot_ : channels_) {
    if (channel.id == id) return &channel;
  }
  return nullptr;
}

void Stage::make_channel(const std::string& cid, std::set<std::string> members) {
  Channel& channel = channels_[cid];
  channel = {};
  channel.id = ChannelId::make(system_clock().now());
  channel.members = std::move(members);
}

std::shared_ptr<const bus::Event> Stage::commit(const std::string& cid, std::vector<std::string> joined,
                                                std::vector<std::string> left, const std::string& type) {
  Channel& channel = channels_.at(cid);
  auto event = std::make_shared<bus::Event>();
  event->created_at = system_clock().now();
  event->id = EventId::make(event->created_at);
  event->app = app_;
  event->type = type;
  event->channel = channel.id;
  event->cid = cid;
  event->epoch = channel.epoch;
  event->seq = ++channel.last_seq;
  event->data = "{}";
  for (const auto& user : joined) channel.members.insert(user);
  for (const auto& user : left) channel.members.erase(user);
  event->joined = std::move(joined);
  event->left = std::move(left);
  channel.events[event->seq] = event;
  return event;
}

std::shared_ptr<const bus::Event> Stage::ephemeral(const std::string& cid) {
  auto event = std::make_shared<bus::Event>();
  event->created_at = system_clock().now();
  event->id = EventId::make(event->created_at);
  event->app = app_;
  event->type = "typing.start";
  event->channel = channels_.at(cid).id;
  event->cid = cid;
  return event;
}

int Stage::connect(const std::string& user) {
  const int name = next_session_++;
  auto& session = sessions_[name];
  session = std::make_unique<Session>(1024);
  session->identity.app = app_;
  session->identity.user_id = user;
  session->state = Session::State::ready;
  names_[session.get()] = name;
  heard_[name];
  presence_.add(app_);
  hub_.add(*session);
  if (!user.empty()) {
    for (const auto& key : audiences_->channels_of(app_, user)) hub_.subscribe(*session, key).member = true;
  }
  return name;
}

void Stage::disconnect(int session) {
  const auto found = sessions_.find(session);
  hub_.remove(*found->second);
  presence_.remove(app_);
  names_.erase(found->second.get());
  sessions_.erase(found);
}

void Stage::note(Session& session, const LocalFrame& frame) {
  const std::string& bytes = frame.bytes();
  const auto length = static_cast<unsigned char>(bytes[1]);
  std::string text = bytes.substr(length < 126 ? 2 : length == 126 ? 4 : 10);
  const auto json = nlohmann::json::parse(text);
  const int name = names_.at(&session);
  texts_[name].push_back(std::move(text));
  Heard heard;
  heard.is_resync = json["type"] == "resync";
  if (heard.is_resync) {
    heard.reason = json["data"]["reason"];
    heard.seq = json["data"].value("last_seq", std::int64_t{0});
  } else {
    heard.seq = json.value("seq", std::int64_t{0});
  }
  heard_[name].push_back(heard);
}

void Stage::read_mail(std::size_t letters) {
  for (; letters > 0 && !mail_.empty(); --letters) {
    const auto letter = std::move(mail_.front());
    mail_.pop_front();
    letter();
  }
}

bool Stage::run_job(bool fails) {
  if (jobs_.empty()) return false;
  WaitingJob job = std::move(jobs_.front());
  jobs_.pop_front();
  fails_ = fails;
  snapshot_ = std::move(job.snapshot);
  job.task(*connection_);
  snapshot_.reset();
  fails_ = false;
  return true;
}

void Stage::begin_job() {
  if (!jobs_.empty() && !jobs_.front().snapshot) jobs_.front().snapshot = channels_;
}

void Stage::pass(std::chrono::milliseconds time) {
  now_ += time;
  audiences_->tick();
}

void Stage::settle() {
  for (int quiet = 0; quiet < 40;) {
    const bool worked = run_job() || !mail_.empty();
    read_mail();
    pass(100ms);
    quiet = worked ? 0 : quiet + 1;
  }
}

void Stage::deliver(std::shared_ptr<const Delivery> delivery) {
  mail_.push_back([this, delivery] { hub_.deliver(*delivery); });
}
void Stage::assemble(std::shared_ptr<const Roster> roster) {
  mail_.push_back([this, roster] { hub_.assemble(*roster); });
}
void Stage::resync(std::shared_ptr<const Resync> resync) {
  mail_.push_back([this, resync] { hub_.resync(*resync); });
}
void Stage::forget(const std::string& key) {
  mail_.push_back([this, key] { hub_.forget(key); });
}
void Stage::close_application(AppId app, Close) { closed_applications.push_back(app); }

}  // namespace chat::realtime
