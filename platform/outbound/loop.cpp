#include "platform/outbound/loop.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/base/error.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"

namespace chat::outbound {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{100};
constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr std::size_t kMaxHeaders = 100;
constexpr int kEventsPerTurn = 128;

struct Measures {
  metrics::Histogram& seconds = metrics::histogram("chat_outbound_seconds", "Time of one outbound call.");
  metrics::Gauge& active = metrics::gauge("chat_outbound_active", "Outbound calls under way.");
  metrics::Gauge& waiting = metrics::gauge("chat_outbound_waiting", "Outbound calls that wait for their turn.");
  static metrics::Counter& calls(Outcome outcome) {
    return metrics::counter("chat_outbound_calls_total", "Outbound calls, by how they ended.", {{"outcome", std::string(word(outcome))}});
  }
};
Measures& measures() {
  static Measures all;
  return all;
}

Outcome outcome_of(int code, bool was_refused) {
  switch (code) {
    case CURLE_OK: return Outcome::answered;
    case CURLE_COULDNT_RESOLVE_HOST: return Outcome::unresolved;
    case CURLE_COULDNT_CONNECT: return was_refused ? Outcome::refused_address : Outcome::unreachable;
    case CURLE_OPERATION_TIMEDOUT: return Outcome::timed_out;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR: return Outcome::tls_failed;
    case CURLE_URL_MALFORMAT: return Outcome::invalid_target;
    default: return Outcome::broken;
  }
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  INVARIANT(curl_easy_setopt(handle, option, value) == CURLE_OK, "libcurl knows the option");
}

}  // namespace

/// One call at work. Its address is libcurl's private pointer: it must not move.
struct Client::Loop::Transfer {
  Transfer(std::unique_ptr<Errand> given, const Guard& given_guard) : errand(std::move(given)), guard(given_guard) {}
  ~Transfer() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void prepare(const Options& options);
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  std::unique_ptr<Errand> errand;
  const Guard& guard;
  CURL* handle = curl_easy_init();
  curl_slist* headers = nullptr;
  Answer answer;
  std::size_t header_bytes = 0;
  std::string refused;                               // the address that the guard did not let through
  std::array<char, CURL_ERROR_SIZE> error{};
  Steady::time_point began = Steady::now();
};

curl_socket_t Client::Loop::Transfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& me = *static_cast<Transfer*>(self);
  const auto where = Address::of(address->addr);
  const std::string_view kind = where ? me.guard.refuses(*where) : "unknown family";
  if (!kind.empty()) {
    me.refused = (where ? where->text() : std::string()) + " is " + std::string(kind);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t Client::Loop::Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * count);
  if (line.rfind("HTTP/", 0) == 0) {                 // a new head: what came before was 1xx
    me.answer.headers.clear();
    me.header_bytes = 0;
  }
  me.header_bytes += line.size();
  if (me.header_bytes > kMaxHeaderBytes || me.answer.headers.size() >= kMaxHeaders) return 0;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' ')) value.remove_suffix(1);
  me.answer.headers.emplace_back(std::move(name), value);
  return line.size();
}

std::size_t Client::Loop::Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  const std::size_t got = size * count;
  const std::size_t room = me.errand->call.max_body_bytes - me.answer.body.size();
  me.answer.body.append(data, std::min(got, room));
  if (got <= room) return got;
  me.answer.is_cut = true;
  return 0;                                          // ends the transfer: the status is known
}

void Client::Loop::Transfer::prepare(const Options& options) {
  const Call& call = errand->call;
  const auto milliseconds = [](std::chrono::milliseconds time) { return static_cast<long>(time.count()); };
  set(handle, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(handle, CURLOPT_URL, call.url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, options.allows_http ? "https,http" : "https");
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_PROXY, "");                    // and none of the environment's
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_QUICK_EXIT, 1L);               // a name that hangs in DNS must not hold the loop when its call ends
  set(handle, CURLOPT_TIMEOUT_MS, milliseconds(call.timeout));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(std::min(call.timeout, options.connect_timeout)));
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(call.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  set(handle, CURLOPT_ERRORBUFFER, error.data());
  if (!options.ca_file.empty()) set(handle, CURLOPT_CAINFO, options.ca_file.c_str());
  set(handle, CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(handle, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(handle, CURLOPT_HEADERFUNCTION, &on_header);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(handle, CURLOPT_WRITEFUNCTION, &on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (call.method == "GET") {
    set(handle, CURLOPT_HTTPGET, 1L);
  } else {
    set(handle, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(handle, CURLOPT_POSTFIELDS, call.body.data());
  }
  headers = curl_slist_append(headers, "Expect:");   // no 100-continue: bodies are small
  for (const auto& [name, value] : call.headers) headers = curl_slist_append(headers, (name + (value.empty() ? ";" : ": " + value)).c_str());
  set(handle, CURLOPT_HTTPHEADER, headers);
}

/// libcurl's side of the loop.
struct Client::Loop::Multi {
  explicit Multi(const Options& options) {
    handle = curl_multi_init();
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(handle, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(handle, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(handle, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_active));
  }
  ~Multi() {
    curl_multi_cleanup(handle);
    ::close(epoll);
  }
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto& me = *static_cast<Multi*>(self);
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(me.epoll, EPOLL_CTL_DEL, socket, nullptr);   // it may be closed already
      return 0;
    }
    epoll_event event{};
    event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);
    event.data.fd = socket;
    const int action = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(me.epoll, action, socket, &event) != 0) return -1;
    if (known == nullptr) curl_multi_assign(me.handle, socket, &me);
    return 0;
  }
  static int on_timer(CURLM*, long in_ms, void* self) {
    auto& me = *static_cast<Multi*>(self);
    me.has_timer = in_ms >= 0;
    me.timer = Steady::now() + std::chrono::milliseconds(std::max(0L, in_ms));
    return 0;
  }
  void act(curl_socket_t socket, std::uint32_t events) {
    int flags = 0;
    if ((events & (EPOLLIN | EPOLLHUP)) != 0) flags |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0) flags |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0) flags |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(handle, socket, flags, &running);
  }
  void act_on_time() {
    if (!has_timer || Steady::now() < timer) return;
    has_timer = false;
    int running = 0;
    curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running);
  }

  CURLM* handle = nullptr;
  int epoll = -1;
  bool has_timer = false;
  Steady::time_point timer;
};

Client::Loop::Loop(Options options) : options_(std::move(options)), guard_(options_.allowed_networks), queue_(options_) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  INVARIANT(started == CURLE_OK, "libcurl starts");
  multi_ = std::make_unique<Multi>(options_);
  bell_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (multi_->epoll < 0 || bell_ < 0) throw Error(Code::unavailable, "No descriptors left for outbound calls.");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = bell_;
  ::epoll_ctl(multi_->epoll, EPOLL_CTL_ADD, bell_, &event);
  next_look_ = Steady::now() + kLook;
  thread_ = std::thread([this] { run(); });
}

Client::Loop::~Loop() {
  stopping_ = true;
  wake();
  thread_.join();
  ::close(bell_);
}

void Client::Loop::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t rang = ::write(bell_, &one, sizeof one);
}

void Client::Loop::submit(std::unique_ptr<Errand> errand) {
  errand->waits_since = Steady::now();
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = arrived_.empty();
    arrived_.push_back(std::move(errand));
  }
  if (was_empty) wake();
}

void Client::Loop::answer(Done done, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back([done = std::move(done), answer = std::move(answer)] {
      Measures::calls(answer.outcome).add();
      done(answer);
    });
  }
  wake();
}

void Client::Loop::run() {
  name_this_thread("outbound");
  while (!stopping_) turn();
  stop_all();
}

void Client::Loop::turn() {
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = ::epoll_wait(multi_->epoll, events.data(), kEventsPerTurn, wait_ms());
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd != bell_) {
      multi_->act(event.data.fd, event.events);
      continue;
    }
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(bell_, &rings, sizeof rings);
  }
  multi_->act_on_time();
  take_finished();
  take_arrivals();
  refuse_late();
  start_waiting();
  measures().active.set(static_cast<double>(queue_.active()));
  measures().waiting.set(static_cast<double>(queue_.waiting()));
}

int Client::Loop::wait_ms() const {
  auto until = next_look_;
  if (multi_->has_timer) until = std::min(until, multi_->timer);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

void Client::Loop::take_arrivals() {
  std::vector<std::unique_ptr<Errand>> arrived;
  std::vector<std::function<void()>> answers;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
    answers.swap(answers_);
  }
  for (const auto& tell : answers) tell();
  for (auto& errand : arrived) {
    has_news_ = true;
    if (queue_.push(errand)) continue;
    Answer answer;
    answer.outcome = Outcome::busy;
    close(std::move(errand), std::move(answer));
  }
}

void Client::Loop::start_waiting() {
  if (!std::exchange(has_news_, false)) return;
  while (auto errand = queue_.next()) start(std::move(errand));
}

void Client::Loop::start(std::unique_ptr<Errand> errand) {
  auto transfer = std::make_unique<Transfer>(std::move(errand), guard_);
  transfer->prepare(options_);
  INVARIANT(curl_multi_add_handle(multi_->handle, transfer->handle) == CURLM_OK, "libcurl takes a call");
  transfers_.push_back(std::move(transfer));
}

void Client::Loop::take_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_->handle, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* pointer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
    finish(*static_cast<Transfer*>(pointer), message->data.result);
  }
}

void Client::Loop::finish(Transfer& transfer, int code) {
  Answer answer = std::move(transfer.answer);
  long status = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
  const bool has_answer = code == CURLE_OK || (code == CURLE_WRITE_ERROR && answer.is_cut);
  answer.outcome = has_answer ? Outcome::answered : outcome_of(code, !transfer.refused.empty());
  answer.status = has_answer ? static_cast<int>(status) : 0;
  answer.duration = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - transfer.began);
  if (!has_answer) answer.detail = transfer.refused.empty() ? std::string(transfer.error.data()) : transfer.refused;
  curl_multi_remove_handle(multi_->handle, transfer.handle);
  queue_.finished(*transfer.errand);
  has_news_ = true;
  measures().seconds.observe(std::chrono::duration<double>(answer.duration).count());
  auto errand = std::move(transfer.errand);
  const auto place = std::find_if(transfers_.begin(), transfers_.end(), [&](const auto& one) { return one.get() == &transfer; });
  std::swap(*place, transfers_.back());
  transfers_.pop_back();
  close(std::move(errand), std::move(answer));
}

void Client::Loop::close(std::unique_ptr<Errand> errand, Answer answer) {
  Measures::calls(answer.outcome).add();
  errand->done(std::move(answer));
}

void Client::Loop::refuse_late() {
  const auto now = Steady::now();
  if (now < next_look_) return;
  next_look_ = now + kLook;
  for (auto& errand : queue_.take_waiting_since_before(now - options_.max_wait)) {
    Answer answer;
    answer.outcome = Outcome::busy;
    close(std::move(errand), std::move(answer));
  }
}

void Client::Loop::stop_all() {
  take_arrivals();
  for (auto& transfer : transfers_) {
    curl_multi_remove_handle(multi_->handle, transfer->handle);
    close(std::move(transfer->errand), {});
  }
  transfers_.clear();
  for (auto& errand : queue_.take_waiting_since_before(Steady::time_point::max())) close(std::move(errand), {});
}

}  // namespace chat::outbound
