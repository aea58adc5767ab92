#include "platform/realtime/shard.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "platform/base/log.h"
#include "platform/base/thread.h"
#include "platform/realtime/measures.h"

namespace chat::realtime {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxWaitingDeliveries = 65'536;
constexpr int kSocketsPerTurn = 256;
constexpr int kTimedEventsPerTurn = 256;

}  // namespace

Shard::Shard(Shared shared, int number)
    : shared_(std::move(shared)), number_(number), mailbox_(kMaxWaitingDeliveries),
      hub_([this](Session& session, const LocalFrame& frame, Kind kind) { send(session, frame, kind); },
           shared_.options.max_queue_bytes / 2),
      wheel_(std::chrono::steady_clock::now()), now_(std::chrono::steady_clock::now()), scratch_(kReadBytes),
      ping_(encode_frame(Opcode::ping, {})) {
  hub_.on_watch([this](const Session& session, const std::string& key, bool watches) {
    if (shared_.hooks.watches) shared_.hooks.watches(session.identity, key.substr(session.identity.app.uuid.bytes.size()), watches);
  });
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  bell_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || bell_ < 0) throw Error(Code::unavailable, "No descriptors left for an event loop.");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event);
}

Shard::~Shard() {
  stop();
  ::close(bell_);
  ::close(epoll_);
}

void Shard::start() {
  thread_ = std::thread([this] { run(); });
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake();
  thread_.join();
}

void Shard::post(Mailbox::Task task) {
  if (mailbox_.post(std::move(task))) wake();
}

void Shard::deliver(std::shared_ptr<const Delivery> delivery) {
  if (mailbox_.post(std::move(delivery))) posted_ = true;
}

void Shard::wake_if_posted() {
  if (posted_.exchange(false)) wake();
}

void Shard::adopt(Newcomer newcomer) {
  socket_count_.fetch_add(1, std::memory_order_relaxed);   // now, so that a hundred who come together are spread
  auto shared = std::make_shared<Newcomer>(std::move(newcomer));
  post([this, shared] { welcome(std::move(*shared)); });
}

void Shard::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t rang = ::write(bell_, &one, sizeof one);   // full counter: it is awake anyway
}

void Shard::run() {
  name_this_thread("sockets-" + std::to_string(number_));
  while (!stopping_) turn();
  read_mailbox();   // sockets that were on their way here
  // What could still be said is said; then the sockets go.
  for (auto& [number, session] : sessions_) {
    if (session->state != Session::State::closing) doom(*session, Close::draining);
  }
  end_turn();
  while (!sessions_.empty()) destroy(*sessions_.begin()->second);
}

void Shard::turn() {
  std::array<epoll_event, kSocketsPerTurn> events;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(wheel_.next_turn() - std::chrono::steady_clock::now());
  const int count = ::epoll_wait(epoll_, events.data(), kSocketsPerTurn, std::max(0, static_cast<int>(wait.count())));
  now_ = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) {
      on_socket(*static_cast<Session*>(event.data.ptr), event.events);
      continue;
    }
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(bell_, &rings, sizeof rings);
  }
  read_mailbox();
  if (now_ >= wheel_.next_turn()) {
    wheel_.turn(now_, [this](Session& session) { on_timer(session); });
    if (number_ == 0) shared_.on_tick();
  }
  end_turn();
}

void Shard::read_mailbox() {
  mailbox_.take(opened_);
  for (auto& letter : opened_.letters) {
    if (const auto* delivery = std::get_if<std::shared_ptr<const Delivery>>(&letter)) open(**delivery);
    else std::get<Mailbox::Task>(letter)();
  }
  for (const auto& lost : opened_.lost) hub_.resync(lost);
  opened_.letters.clear();
}

void Shard::open(const Delivery& delivery) {
  const Hub::Copies copies = hub_.deliver(delivery);
  if (copies.count == 0) return;
  count_copies(delivery.app, copies);
  if (delivery.seq != 0 && !delivery.large && shared_.hooks.heard) shared_.hooks.heard(delivery.app, delivery.cid, delivery.left);
  if (!delivery.is_repeat && written_soon_.size() < kTimedEventsPerTurn) written_soon_.push_back(delivery.created_at);
}

void Shard::count_copies(AppId app, Hub::Copies copies) {
  if (copies.count > 0 && shared_.hooks.delivered) shared_.hooks.delivered(app, copies.count, copies.bytes);
}

// Ends of sessions wait until here, so that no list is changed while somebody walks over it: close frames are queued before
// the sockets are written, dead sockets go after it.
void Shard::settle(Ends which) {
  for (const auto& doom : std::exchange(doomed_, {})) {
    if (which == Ends::spoken && doom.code == 0) doomed_.push_back(doom);
    else end(doom);
  }
}

void Shard::flush_dirty() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {      // may grow: a drained session asks for its next missed events
    Session& session = *dirty_[i];
    session.dirty = false;
    if (!session.doomed) flush(session);
  }
  dirty_.clear();
}

void Shard::end_turn() {
  settle(Ends::spoken);
  flush_dirty();
  settle(Ends::all);
  Measures& all = measures();
  if (!written_soon_.empty()) {
    const Timestamp now = shared_.clock.now();
    for (const auto created_at : written_soon_) {
      all.delivery.observe(std::chrono::duration<double>(now - created_at).count());
    }
    written_soon_.clear();
  }
  if (tally_.frames > 0 || tally_.bytes > 0) {
    all.frames_sent.add(static_cast<double>(tally_.frames));
    all.bytes_sent.add(static_cast<double>(tally_.bytes));
    tally_ = {};
  }
  if (queued_ != queued_told_) {
    all.queue_bytes.add(static_cast<double>(queued_ - queued_told_));
    queued_bytes_.store(queued_, std::memory_order_relaxed);
    queued_told_ = queued_;
  }
}

Session* Shard::find(std::uint64_t number) {
  const auto found = sessions_.find(number);
  return found == sessions_.end() ? nullptr : found->second.get();
}

}  // namespace chat::realtime
