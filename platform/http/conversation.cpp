#include "platform/http/conversation.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "platform/base/log.h"
#include "platform/http/response_head.h"
#include "platform/http/target.h"

namespace chat::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kScratchBytes = 64 * 1024;
constexpr int kReadsPerTurn = 8;                            // then others get their turn
constexpr std::size_t kKeptCapacity = 4 * 1024;             // what an idle connection may keep of a buffer
constexpr std::size_t kMaxDiscardedBytes = 4 * 1024 * 1024;
constexpr milliseconds kLinger{2'000};
constexpr int kFileThreads = 2;
constexpr int kUnanswered = 0;                              // status of the answer that nobody gave

void shrink(std::string& buffer) {
  if (buffer.capacity() > kKeptCapacity) buffer = std::string();
  else buffer.clear();
}

/// What a Responder holds. Whoever drops the last copy without answering has answered `internal`.
class Ticket {
 public:
  Ticket(std::shared_ptr<Inbox> inbox, std::weak_ptr<Conversation> to, std::uint64_t turn)
      : inbox_(std::move(inbox)), to_(std::move(to)), turn_(turn) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (answered_.load(std::memory_order_relaxed)) return;
    Response none;
    none.status = kUnanswered;
    inbox_->deliver(std::move(to_), turn_, std::move(none));
  }
  void answer(Response response) {
    if (answered_.exchange(true)) return log::error("http.answered_twice", {{"status", response.status}});
    inbox_->deliver(std::move(to_), turn_, std::move(response));
  }

 private:
  std::shared_ptr<Inbox> inbox_;
  std::weak_ptr<Conversation> to_;
  std::uint64_t turn_;
  std::atomic<bool> answered_{false};
};

Error internal_error() { return {Code::internal, "Something went wrong on our side."}; }

}  // namespace

Service::Service(ServerOptions given, OnRequest request, OnUpgrade upgrade)
    : options(std::move(given)),
      on_request(std::move(request)),
      on_upgrade(std::move(upgrade)),
      files(kFileThreads),
      open(metrics::gauge("chat_http_connections", "Open HTTP connections, WebSockets not counted.",
                          {{"engine", options.engine}})) {}

void Service::joined() {
  connections.fetch_add(1);
  open.add(1);
}

void Service::left() {
  open.add(-1);
  if (connections.fetch_sub(1) != 1 || !draining) return;
  const std::lock_guard lock(mutex_);
  empty_.notify_all();
}

bool Service::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return empty_.wait_until(lock, deadline, [this] { return connections.load() == 0; });
}

milliseconds Service::tick() const {
  const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout});
  return std::clamp(shortest / 8, milliseconds(20), milliseconds(500));
}

void Inbox::deliver(std::weak_ptr<Conversation> to, std::uint64_t turn, Response response) {
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    if (const auto conversation = to.lock()) conversation->answer(turn, std::move(response));
    return;
  }
  put({std::move(to), turn, std::move(response)});
}

void Inbox::deliver(std::weak_ptr<Conversation> to, std::function<void(Conversation&)> news) {
  put({std::move(to), 0, {}, std::move(news)});
}

void Inbox::put(Letter letter) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  letters_.push_back(std::move(letter));
  if (letters_.size() == 1) wake_();
}

void Inbox::drain() {
  {
    const std::lock_guard lock(mutex_);
    opened_.swap(letters_);
  }
  for (Letter& letter : opened_)
    if (const auto conversation = letter.to.lock())
      letter.news ? letter.news(*conversation) : conversation->answer(letter.turn, std::move(letter.response));
  opened_.clear();
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  letters_.clear();
}

Conversation::Conversation(Service& service, std::shared_ptr<Inbox> inbox, int socket, std::string remote)
    : service_(service),
      inbox_(std::move(inbox)),
      socket_(socket),
      remote_(std::move(remote)),
      reader_({service.options.max_header_bytes, service.options.max_body_bytes},
              [this](const Request& head) { return judge_head(head); }) {
  service_.joined();
  set_deadline(service_.options.idle_timeout);
}

Conversation::~Conversation() {
  if (socket_open_) service_.left();
}

void Conversation::begin() {
  if (service_.draining) return on_drain();
  settle();
}

void Conversation::refuse_crowd() {
  refuse(Error(Code::unavailable, "The server has too many connections.").with_retry_after(std::chrono::seconds(1)));
  settle();
}

void Conversation::on_readable() {
  thread_local std::array<char, kScratchBytes> scratch;
  for (int turn = 0; turn < kReadsPerTurn && (state_ == State::reading || state_ == State::lingering); ++turn) {
    const ssize_t got = ::recv(socket_, scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got > 0) {
      feed({scratch.data(), static_cast<std::size_t>(got)});
      if (static_cast<std::size_t>(got) < scratch.size()) break;
    } else if (got == 0) {
      state_ = State::closed;   // a request that was not whole is nobody's loss
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) state_ = State::closed;
      break;
    }
  }
  settle();
}

void Conversation::on_writable() {
  if (pending()) flush();
  go_on();
  settle();
}

void Conversation::answer(std::uint64_t turn, Response response) {
  if (state_ != State::handling || turn != turn_) return;
  if (response.status == kUnanswered) {
    log::error("http.unanswered", {{"request_id", request_id_}});
    response = problem(internal_error(), request_id_);
  }
  send(std::move(response));
  if (feeding_) return;
  go_on();
  settle();
}

void Conversation::on_tick(Time now) {
  if (now < deadline_ || state_ == State::handling || state_ == State::storing || state_ == State::loading || state_ == State::closed)
    return;
  if (state_ == State::reading && reader_.step() != RequestReader::Step::waiting)
    refuse(Error(Code::request_timeout, "The request did not arrive in time."));
  else
    state_ = State::closed;
  settle();
}

void Conversation::on_drain() {
  if (state_ == State::reading && reader_.step() == RequestReader::Step::waiting) state_ = State::closed;
  settle();
}

void Conversation::abort() {
  state_ = State::closed;
  settle();
}

void Conversation::feed(std::string_view bytes) {
  if (state_ == State::lingering) {
    discarded_ += bytes.size();
    if (discarded_ > kMaxDiscardedBytes) state_ = State::closed;
    return;
  }
  rest_ = bytes;
  feeding_ = true;
  try {
    while (!rest_.empty() && state_ == State::reading) {
      rest_.remove_prefix(reader_.read(rest_));
      on_step();
    }
  } catch (const std::exception& error) {   // out of memory: this connection ends, the others go on
    log::error("http.connection", {{"what", error.what()}});
    state_ = State::closed;
  }
  feeding_ = false;
  if (state_ != State::reading && state_ != State::lingering && state_ != State::closed) ahead_ = rest_;
  rest_ = {};
}

void Conversation::go_on() {
  while (state_ == State::reading && !ahead_.empty()) {
    const std::string bytes = std::move(ahead_);
    ahead_ = {};
    feed(bytes);
  }
}

void Conversation::on_step() {
  const auto before = step_;
  step_ = reader_.step();
  switch (step_) {
    case RequestReader::Step::waiting: break;
    case RequestReader::Step::head:
      if (before != step_) set_deadline(service_.options.header_timeout);
      break;
    case RequestReader::Step::body:
      if (before != step_) set_deadline(service_.options.body_timeout);
      if (reader_.take_continue()) {
        head_ += "HTTP/1.1 100 Continue\r\n\r\n";
        flush();
      }
      if (upload_ && reader_.held_body() >= kPieceBytes) store(false);
      break;
    case RequestReader::Step::done: upload_ ? store(true) : dispatch(); break;
    case RequestReader::Step::refused: refuse(reader_.refusal()); break;
  }
}

/// The most that the body may hold.
std::size_t Conversation::judge_head(const Request& head) {
  if (service_.options.on_large_body) upload_ = service_.options.on_large_body(head);
  return upload_ ? upload_->max_bytes() : service_.options.max_body_bytes;
}

/// Gives what was read of the body to a file thread; until that is done nothing more is read.
void Conversation::store(bool last) {
  state_ = State::storing;
  service_.files.run([inbox = inbox_, to = weak_from_this(), upload = upload_, bytes = reader_.take_body(), last] {
    std::optional<Error> error;
    try {
      upload->write(bytes);
      if (last) upload->finish();
    } catch (const Error& refusal) {
      error = refusal;
    } catch (const std::exception& failure) {
      error = internal_error().with_log(failure.what());
    }
    inbox->deliver(to, [last, error](Conversation& me) { me.on_stored(last, error); });
  });
}

void Conversation::on_stored(bool last, const std::optional<Error>& error) {
  if (state_ != State::storing) return;
  if (error) {
    upload_.reset();
    refuse(*error);
  } else if (last) {
    dispatch();
  } else {
    state_ = State::reading;
    set_deadline(service_.options.body_timeout);   // a sender must make progress, not be fast
  }
  go_on();
  settle();
}

void Conversation::load() {
  state_ = State::loading;
  service_.files.run([inbox = inbox_, to = weak_from_this(), file = file_] {
    inbox->deliver(to, [piece = file->next()](Conversation& me) { me.on_loaded(piece); });
  });
}

void Conversation::on_loaded(std::string piece) {
  if (state_ != State::loading) return;
  if (piece.empty()) {                                      // the promised length can't be kept: the client must notice
    log::error("http.file_cut", {{"request_id", request_id_}});
    state_ = State::closed;
  } else {
    if (file_->left() == 0) file_.reset();
    body_ = std::move(piece);
    state_ = State::writing;
    set_deadline(service_.options.body_timeout);
    flush();
  }
  go_on();
  settle();
}

void Conversation::dispatch() {
  const bool websocket = reader_.wants_websocket();
  Request request = reader_.take();
  step_ = RequestReader::Step::waiting;
  state_ = State::handling;
  ++turn_;
  request.remote = remote_;
  request.received_at = system_clock().now();
  const auto given = request.header("x-request-id");
  request.request_id = given && is_request_id(*given) ? std::string(*given) : new_request_id(request.received_at);
  request_id_ = request.request_id;
  keep_alive_ = request.keep_alive;
  head_only_ = request.method == Method::head;
  if (upload_) request.principal = std::move(upload_);
  if (websocket && service_.on_upgrade && offer_upgrade(request)) return;

  auto ticket = std::make_shared<Ticket>(inbox_, weak_from_this(), turn_);
  try {
    service_.on_request(std::move(request), [ticket](Response response) { ticket->answer(std::move(response)); });
  } catch (const std::exception& error) {   // the door's own catch failed: still an answer, still alive
    log::error("http.handler_threw", {{"request_id", request_id_}, {"what", error.what()}});
    ticket->answer(problem(internal_error(), request_id_));
  }
}

/// Answers on a descriptor that no engine owns any more, and closes it.
void answer_and_close(int socket, const std::string& request_id, const Response& response) {
  std::string text;
  append_head(text, response, request_id, false);
  text += response.body;
  if (::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    log::debug("http.refusal_lost", {{"request_id", request_id}});
  ::shutdown(socket, SHUT_WR);
  ::close(socket);
}

/// True: the taker has the socket now, and this connection is over.
bool Conversation::offer_upgrade(Request& request) {
  if (!release_socket()) return false;
  const auto refusal = [socket = socket_, id = request_id_](const Response& response) {
    answer_and_close(socket, id, response);
  };
  Upgrade upgrade{std::move(request), socket_, std::string(rest_), refusal};
  bool taken = true;
  try {
    taken = service_.on_upgrade(upgrade);
  } catch (const std::exception& error) {
    log::error("http.upgrade", {{"request_id", request_id_}, {"what", error.what()}});
    refusal(problem(internal_error(), request_id_));
  }
  if (!taken) {
    take_back_socket();
    request = std::move(upgrade.request);
    return false;
  }
  state_ = State::closed;
  socket_open_ = false;
  service_.left();
  forget();
  return true;
}

void Conversation::refuse(const Error& error) {
  request_id_ = new_request_id(system_clock().now());
  keep_alive_ = head_only_ = false;
  state_ = State::handling;
  ++turn_;
  Response response = problem(error, request_id_);
  if (error.code() == Code::method_not_allowed)
    response.with("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  log::debug("http.refused", {{"request_id", request_id_}, {"code", row_of(error.code()).word}, {"remote", remote_}});
  send(std::move(response));
}

void Conversation::send(Response response) {
  keep_alive_ = keep_alive_ && !service_.draining.load(std::memory_order_relaxed);
  append_head(head_, response, request_id_, keep_alive_);
  if (!head_only_ && has_body(response.status)) {
    body_ = std::move(response.body);
    if (auto slice = file_of(response); slice && slice->length > 0) file_ = std::make_shared<FileReader>(std::move(*slice));
  }
  state_ = State::writing;
  set_deadline(service_.options.body_timeout);
  flush();
}

/// Writes what the socket takes. True: all of it.
bool Conversation::flush() {
  while (pending()) {
    std::array<iovec, 2> parts{};
    const std::size_t head_sent = std::min(sent_, head_.size());
    const std::size_t body_sent = sent_ - head_sent;
    parts[0] = {head_.data() + head_sent, head_.size() - head_sent};
    parts[1] = {body_.data() + body_sent, body_.size() - body_sent};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t wrote = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (wrote > 0) {
      sent_ += static_cast<std::size_t>(wrote);
      set_deadline(service_.options.body_timeout);   // a reader must make progress, not be fast
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) state_ = State::closed;
      return false;
    }
  }
  on_sent();
  return true;
}

void Conversation::on_sent() {
  shrink(head_);
  shrink(body_);
  sent_ = 0;
  if (state_ != State::writing) return;   // it was `100 Continue`
  if (file_) return load();
  if (!keep_alive_) return linger();
  state_ = State::reading;
  set_deadline(service_.options.idle_timeout);
}

void Conversation::linger() {
  ::shutdown(socket_, SHUT_WR);
  state_ = State::lingering;
  ahead_ = {};
  set_deadline(kLinger);
}

void Conversation::settle() {
  if (feeding_ || !socket_open_) return;
  if (state_ == State::closed) {
    socket_open_ = false;
    close_socket();
    service_.left();
    return forget();
  }
  if (pending()) arm_write();
  if (state_ == State::reading || state_ == State::lingering) arm_read();
}

}  // namespace chat::http
