#include "platform/http/gate.h"

#include <atomic>
#include <chrono>
#include <utility>

#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/http/gate_metrics.h"
#include "platform/http/idempotency.h"
#include "platform/http/rate_headers.h"
#include "platform/http/target.h"

namespace chat::http {
namespace {

Error internal_error(std::string_view what) {
  return Error(Code::internal, "Something went wrong on our side.").with_log(std::string(what));
}

/// The one catch of the HTTP doors: what is thrown, as the refusal that it becomes.
Error caught() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return internal_error(error.what());
  } catch (...) {
    return internal_error("an exception of no known type");
  }
}

bool is_json(const Request& request) {
  const auto header = request.header("content-type");
  if (!header) return false;
  const std::string type = text::lower_ascii(*header);
  const std::string_view all = text::trim(type);
  const auto semicolon = all.find(';');
  if (text::trim(all.substr(0, semicolon)) != "application/json") return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = text::trim(all.substr(semicolon + 1));
  return parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

void check_body(const Request& request, const Route& route) {
  if (request.body.size() > route.max_body_bytes)
    throw Error(Code::too_large,
                "The body is larger than " + std::to_string(route.max_body_bytes) + " bytes, the most this call takes.");
  if (!request.body.empty() && !is_json(request))
    throw Error(Code::unsupported_media_type, "A body must be application/json in UTF-8.");
}

}  // namespace

struct Gate::State {
  State(const Router& given_router, storage::Pool& given_pool, const Clock& given_clock, std::string given_door,
        GateHooks given_hooks)
      : router(given_router),
        pool(given_pool),
        clock(given_clock),
        hooks(std::move(given_hooks)),
        metrics(std::move(given_door), given_router) {}

  const Router& router;
  storage::Pool& pool;
  const Clock& clock;
  const GateHooks hooks;
  GateMetrics metrics;
  std::atomic<std::int64_t> in_flight{0};
};

namespace {

using Steady = std::chrono::steady_clock;

/// One request on its way through the gate. Answers exactly once; whoever drops it unanswered has answered `internal`.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<Gate::State> gate, Request request, Responder respond)
      : gate_(std::move(gate)),
        request_(std::make_shared<Request>(std::move(request))),
        respond_(std::move(respond)),
        metrics_(&gate_->metrics.unmatched()) {
    gate_->in_flight.fetch_add(1, std::memory_order_relaxed);
    gate_->metrics.enter(request_->body.size());
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (!answered_) refuse(internal_error("the handler dropped the request"));
  }

  void run();
  void refuse(const Error& error);

 private:
  bool find_route();
  void authenticate();
  void authenticate_cold();
  bool check_rate();
  void meet(storage::Connection& connection);
  void serve(storage::Connection* connection);
  void serve_async();
  void serve_on(storage::Connection& connection);
  Response act(storage::Transaction& tx, const std::optional<IdempotentCall>& once_only);
  [[nodiscard]] std::optional<IdempotentCall> idempotent_call() const;
  void submit(void (Call::*step)(storage::Connection&));
  void continue_cold(storage::Connection& connection);
  void answer(Response response);
  void tell_served(const Response& response) const;

  const std::shared_ptr<Gate::State> gate_;
  const std::shared_ptr<Request> request_;
  const Responder respond_;
  const Steady::time_point began_ = Steady::now();
  RouteMetrics* metrics_;
  std::vector<std::pair<std::string, std::string>> rate_headers_;
  std::shared_ptr<const Principal> admitted_;      // whom the limits let pass
  std::string log_detail_;
  std::atomic<bool> answered_{false};
};

/// On the engine's thread.
void Call::run() {
  try {
    if (!find_route()) return;
    check_body(*request_, *request_->route);
    if (request_->route->access == Access::any) return serve(nullptr);
    request_->principal = gate_->hooks.authenticate(*request_);
    if (!check_rate()) return;
    if (gate_->hooks.meet && !gate_->hooks.meet(*request_->principal, nullptr)) return submit(&Call::meet);
    serve(nullptr);
  } catch (const NeedsDatabase&) {
    submit(&Call::continue_cold);
  } catch (...) {
    refuse(caught());
  }
}

/// False: answered already, because there is nothing to call.
bool Call::find_route() {
  const Router::Match match = gate_->router.match(*request_);
  if (match.route) {
    metrics_ = &gate_->metrics.of(*match.route);
    return true;
  }
  if (!match.other_method) throw Error(Code::not_found, "No such resource.");
  if (request_->method == Method::options) {
    answer(std::move(no_content().with("Allow", match.allow)));
    return false;
  }
  Response refusal = problem(Error(Code::method_not_allowed, "This resource has no such method."), request_->request_id);
  answer(std::move(refusal.with("Allow", match.allow)));
  return false;
}

/// False: answered already, because there were too many. Not thrown: refusing a flood must cost next to nothing.
bool Call::check_rate() {
  if (!gate_->hooks.rate) return true;
  const RateDecision decision = gate_->hooks.rate(*request_->principal, *request_->route);
  if (!decision.policies.empty()) {
    rate_headers_.emplace_back("RateLimit-Policy", rate_limit_policy(decision));
    rate_headers_.emplace_back("RateLimit", rate_limit(decision));
  }
  if (!decision.allowed) {
    refuse(Error(Code::rate_limited, "There were too many requests.",
                 decision.refused_by.empty() ? std::vector<FieldError>{} : std::vector<FieldError>{{"limit:" + decision.refused_by, "Too many in a minute."}})
               .with_retry_after(std::chrono::seconds(std::max<std::int64_t>(decision.retry_after_s, 1))));
    return false;
  }
  if (gate_->hooks.enter) gate_->hooks.enter(*request_->principal, *request_->route);
  admitted_ = request_->principal;
  return true;
}

/// Runs `step` on a pool worker, or refuses when the pool takes nothing more.
void Call::submit(void (Call::*step)(storage::Connection&)) {
  const auto me = shared_from_this();
  const bool accepted = gate_->pool.submit([me, step](storage::Connection& connection) {
    try {
      ((*me).*step)(connection);
    } catch (...) {
      me->refuse(caught());
    }
  });
  if (!accepted)
    refuse(Error(Code::unavailable, "The server is busy.").with_retry_after(std::chrono::seconds(1)));
}

/// On a pool worker: the application was not in memory. The rest follows right here when it needs the database.
void Call::continue_cold(storage::Connection& connection) {
  request_->principal = gate_->hooks.authenticate_cold(*request_, connection);
  if (check_rate()) meet(connection);
}

/// On a pool worker: whether there is room for who calls, the database knows.
void Call::meet(storage::Connection& connection) {
  if (gate_->hooks.meet) gate_->hooks.meet(*request_->principal, &connection);
  serve(&connection);
}

/// `connection`: the worker's own, when this is one already.
void Call::serve(storage::Connection* connection) {
  if (request_->route->async) return serve_async();
  if (connection) return serve_on(*connection);
  submit(&Call::serve_on);
}

void Call::serve_async() {
  // The handler may keep the request and drop the Responder: then only this guard knows that nobody will answer.
  const std::shared_ptr<void> guard(nullptr, [me = shared_from_this()](void*) {
    if (!me->answered_) me->refuse(internal_error("the handler dropped the request"));
  });
  try {
    request_->route->async(request_, [me = shared_from_this(), guard](Response response) { me->answer(std::move(response)); });
  } catch (...) {
    refuse(caught());                                // before the guard goes, which would call it dropped
  }
}

void Call::serve_on(storage::Connection& connection) {
  const auto once_only = idempotent_call();
  const AppId app = request_->principal ? gate_->hooks.app_of(*request_->principal) : AppId{};
  Response response;
  connection.transact(app, request_->route->mode,
                      [&](storage::Transaction& tx) { response = act(tx, once_only); });
  answer(std::move(response));
}

Response Call::act(storage::Transaction& tx, const std::optional<IdempotentCall>& once_only) {
  const auto handle = [&] { return request_->route->handler(*request_, tx); };
  return once_only ? once(tx, *once_only, handle) : handle();
}

/// Only what writes for a known caller can be done twice by mistake.
std::optional<IdempotentCall> Call::idempotent_call() const {
  const Route& route = *request_->route;
  if (request_->method != Method::post || route.mode != storage::Mode::write || !request_->principal)
    return std::nullopt;
  auto key = idempotency_key(*request_);
  if (!key) return std::nullopt;
  return IdempotentCall{gate_->hooks.name_of(*request_->principal), route.operation, std::move(*key),
                        fingerprint(*request_), route.answers_secret};
}

/// What counts the calls may fail; the work is done and its answer goes out all the same.
void Call::tell_served(const Response& response) const {
  if (!gate_->hooks.served || !request_->route) return;
  try {
    gate_->hooks.served({admitted_ ? admitted_ : request_->principal, *request_->route, response.status, admitted_ != nullptr});
  } catch (...) {
    log::error("http.served", {{"request_id", request_->request_id}, {"what", caught().log_detail()}});
  }
}

void Call::refuse(const Error& error) {
  log_detail_ = error.log_detail().empty() ? error.what() : error.log_detail();
  answer(problem(error, request_->request_id));
}

void Call::answer(Response response) {
  if (answered_.exchange(true)) return log::error("http.answered_twice", {{"request_id", request_->request_id}});
  for (auto& [name, value] : rate_headers_) response.with(std::move(name), std::move(value));

  const Steady::duration took = Steady::now() - began_;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  metrics_->record(response.status, static_cast<double>(micros) / 1e6);
  if (response.status >= 400)
    (response.status >= 500 ? log::error : log::debug)(
        "http.request", {{"request_id", request_->request_id},
                         {"operation", metrics_->operation},
                         {"status", response.status},
                         {"micros", std::int64_t{micros}},
                         {"detail", log_detail_}});
  tell_served(response);
  respond_(std::move(response));
  gate_->metrics.leave();
  gate_->in_flight.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

Gate::Gate(const Router& router, storage::Pool& pool, const Clock& clock, std::string door, GateHooks hooks)
    : state_(std::make_shared<State>(router, pool, clock, std::move(door), std::move(hooks))) {
  INVARIANT(state_->hooks.authenticate && state_->hooks.authenticate_cold && state_->hooks.app_of &&
                state_->hooks.name_of,
            "a gate needs to know who calls");
}

void Gate::handle(Request request, Responder respond) {
  if (request.request_id.empty()) request.request_id = new_request_id(state_->clock.now());
  std::make_shared<Call>(state_, std::move(request), std::move(respond))->run();
}

std::int64_t Gate::in_flight() const { return state_->in_flight.load(std::memory_order_relaxed); }

}  // namespace chat::http
