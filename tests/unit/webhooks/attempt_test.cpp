#include "platform/webhooks/attempt.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "platform/webhooks/call.h"
#include "platform/webhooks/flow.h"
#include "platform/webhooks/question.h"

using namespace chat;
using namespace chat::webhooks;
using outbound::Outcome;
using std::chrono::seconds;

namespace {

const Timestamp kNow = *parse_time("2026-11-21T12:00:00Z");
const std::vector<std::int64_t> kSteps{5, 300, 1'800};

outbound::Answer answer(int status, outbound::Headers headers = {}) {
  outbound::Answer given;
  given.outcome = Outcome::answered;
  given.status = status;
  given.headers = std::move(headers);
  return given;
}
outbound::Answer without(Outcome outcome) {
  outbound::Answer given;
  given.outcome = outcome;
  return given;
}
std::int64_t wait(const Judged& judged) {
  return judged.again ? std::chrono::duration_cast<seconds>(*judged.again - kNow).count() : -1;
}
std::int64_t wait(std::int64_t attempts, const outbound::Answer& given) { return wait(judge({attempts, kSteps}, given, kNow, 0)); }

}  // namespace

TEST_CASE("webhook attempt: what each answer means", "[webhooks]") {
  for (int status : {200, 201, 204, 299}) CHECK(judge({0, kSteps}, answer(status), kNow, 0).state == "succeeded");
  for (int status : {301, 302, 307, 308}) CHECK(judge({0, kSteps}, answer(status), kNow, 0).outcome == "redirected");
  for (int status : {400, 401, 404, 500, 503}) CHECK(judge({0, kSteps}, answer(status), kNow, 0).outcome == "http_error");
  for (int status : {429, 502, 504}) CHECK(judge({0, kSteps}, answer(status), kNow, 0).outcome == "throttled");
  const auto gone = judge({0, kSteps}, answer(410), kNow, 0);
  CHECK(gone.state == "failed");
  CHECK(gone.health == Health::gone);
  CHECK(judge({0, kSteps}, without(Outcome::refused_address), kNow, 0).outcome == "refused_address");
}

TEST_CASE("webhook attempt: the schedule, its end, and what is no attempt", "[webhooks]") {
  CHECK(wait(0, answer(500)) == 5);
  CHECK(wait(1, answer(500)) == 300);
  CHECK(wait(2, without(Outcome::unreachable)) == 1'800);
  CHECK(judge({3, kSteps}, answer(500), kNow, 0).state == "failed");
  CHECK(judge({0, kSteps, true}, answer(500), kNow, 0).state == "failed");
  CHECK(judge({0, {}}, answer(500), kNow, 0).state == "failed");
  for (const auto outcome : {Outcome::busy, Outcome::stopped}) {
    const auto judged = judge({3, kSteps}, without(outcome), kNow, 0);
    CHECK(judged.state == "pending");
    CHECK_FALSE(judged.is_try);
    CHECK(judged.outcome == "");
    CHECK(judged.health == Health::same);
  }
}

TEST_CASE("webhook breaker: five failures of the other side close it, none of this side's", "[webhooks]") {
  Breaker breaker;
  for (int i = 0; i < 2 * Breaker::kFailures; ++i) breaker.note(without(i % 2 == 0 ? Outcome::busy : Outcome::stopped), false, kNow);
  CHECK_FALSE(breaker.is_closed(kNow));
  for (int i = 0; i < Breaker::kFailures; ++i) {
    CHECK_FALSE(breaker.is_closed(kNow));
    breaker.note(without(Outcome::timed_out), false, kNow);
    breaker.note(without(Outcome::busy), false, kNow);
  }
  CHECK(breaker.is_closed(kNow));
  CHECK_FALSE(breaker.is_closed(kNow + Breaker::kClosed));
}

TEST_CASE("webhook attempt: unless the endpoint says otherwise there are ten, the last one after 75 h, and chance adds a fifth at most", "[webhooks]") {
  const auto walk = [](double luck) {
    const auto schedule = EndpointSettings{}.schedule;
    std::vector<std::int64_t> waits;
    Timestamp at = kNow;
    for (std::int64_t attempts = 0;; ++attempts) {
      const auto judged = judge({attempts, schedule}, answer(500), at, luck);
      if (judged.state == "failed") return waits;
      waits.push_back(std::chrono::duration_cast<seconds>(*judged.again - at).count());
      at = *judged.again;
    }
  };
  const auto waits = walk(0);
  CHECK(waits == std::vector<std::int64_t>{5, 300, 1'800, 7'200, 18'000, 36'000, 50'400, 72'000, 86'400});   // before each attempt after the first
  CHECK(std::accumulate(waits.begin(), waits.end(), std::int64_t{0}) == 75 * 3'600 + 35 * 60 + 5);
  for (const double luck : {0.3, 0.9999}) {
    const auto later = walk(luck);
    REQUIRE(later.size() == waits.size());
    for (std::size_t i = 0; i < waits.size(); ++i) {
      CHECK(later[i] >= waits[i]);
      CHECK(later[i] <= waits[i] * 6 / 5);
    }
  }
}

TEST_CASE("webhook attempt: what this side can't call counts as a failure, by its name", "[webhooks]") {
  const auto judged = judge({1, kSteps, false, "key_unreadable"}, {}, kNow, 0);
  CHECK(judged.outcome == "key_unreadable");
  CHECK(judged.state == "pending");
  CHECK(judged.is_try);
  CHECK(judged.health == Health::bad);
  CHECK(wait(judged) == 300);
}

TEST_CASE("webhook attempt: chance only adds, a fifth at most", "[webhooks]") {
  CHECK(wait(judge({1, kSteps}, answer(500), kNow, 1)) == 360);
  CHECK(wait(judge({1, kSteps}, answer(500), kNow, 0.5)) == 330);
}

TEST_CASE("webhook attempt: who asks for a slower pace gets it, within bounds", "[webhooks]") {
  CHECK(wait(0, answer(429)) == 60);
  CHECK(wait(0, answer(502)) == 60);
  CHECK(wait(0, without(Outcome::timed_out)) == 60);
  CHECK(wait(1, answer(504)) == 300);
  CHECK(wait(0, answer(429, {{"retry-after", "7"}})) == 60);
  CHECK(wait(0, answer(503, {{"retry-after", "120"}})) == 120);
  CHECK(wait(0, answer(429, {{"retry-after", "99999"}})) == 3'600);
  CHECK(wait(2, answer(429, {{"retry-after", "99999"}})) == 3'600);
  CHECK(wait(0, answer(429, {{"retry-after", "soon"}})) == 60);
  CHECK(wait(0, answer(503, {{"retry-after", "Sat, 21 Nov 2026 12:10:00 GMT"}})) == 600);
  CHECK(parse_retry_after("Sat, 21 Nov 2026 11:00:00 GMT", kNow) == seconds(0));
  CHECK_FALSE(parse_retry_after("", kNow));
  CHECK_FALSE(parse_retry_after("-1", kNow));
}

TEST_CASE("webhook attempt: any bytes of an answer become a text", "[webhooks]") {
  CHECK(clean_text("fine") == "fine");
  CHECK(clean_text(std::string("a\0b", 3)) == "a b");
  CHECK(clean_text("h\xc3\xa9") == "h\xc3\xa9");
  CHECK(clean_text("cut \xf0\x9f\x91") == "cut ");
  CHECK(clean_text("\xff\xfe text") == "?? text");
  CHECK(clean_text("") == "");
}

TEST_CASE("webhook flow: few at first, more with success, one after a failure", "[webhooks]") {
  Flows flows;
  const Uuid one = new_uuid7(kNow);
  const auto app = AppId::make(kNow);
  const auto room = [&](Timestamp now) {
    std::int64_t found = -1;
    flows.each_room(now, [&](const Uuid& endpoint, std::int64_t more) {
      if (endpoint == one) found = more;
    });
    return found;
  };
  CHECK(room(kNow) == -1);
  for (int i = 0; i < 4; ++i) flows.began(app, one, {.in_flight = 32}, kNow);
  CHECK(room(kNow) == 0);
  flows.ended(app, one, true, true);
  CHECK(room(kNow) == 8 - 3);
  for (int i = 0; i < 3; ++i) flows.ended(app, one, true, true);
  CHECK(room(kNow) == 32);
  flows.began(app, one, {.in_flight = 32}, kNow);
  flows.ended(app, one, false, true);
  CHECK(room(kNow) == 1);
  flows.began(app, one, {.in_flight = 32}, kNow);
  flows.ended(app, one, false, false);
  CHECK(room(kNow) == 1);
  Flows capped;
  capped.began(app, one, {.in_flight = 32, .per_second = 3}, kNow);
  capped.ended(app, one, true, true);
  capped.each_room(kNow, [&](const Uuid& id, std::int64_t more) { if (id == one) CHECK(more == 2); });
  capped.each_room(kNow + seconds(1), [&](const Uuid& id, std::int64_t more) { if (id == one) CHECK(more == 3); });
}

TEST_CASE("webhook flow: the endpoints of one application together have a most, too", "[webhooks]") {
  Flows flows;
  const auto app = AppId::make(kNow), other = AppId::make(kNow);
  const auto room = [&](AppId of) {
    std::int64_t found = -1;
    flows.each_room(kNow, [&](const Uuid& id, std::int64_t more) {
      if (id == of.uuid) found = more;
    });
    return found;
  };
  std::vector<Uuid> endpoints;
  for (int i = 0; i < Flows::kMaxEachApp; ++i) endpoints.push_back(new_uuid7(kNow));
  for (const auto& endpoint : endpoints) flows.began(app, endpoint, {.in_flight = 32}, kNow);
  CHECK(room(app) == 0);
  CHECK(room(other) == -1);
  flows.ended(app, endpoints[0], false, true);
  CHECK(room(app) == 1);
  for (std::size_t i = 1; i < endpoints.size(); ++i) flows.ended(app, endpoints[i], true, true);
  CHECK(room(app) == -1);
}

TEST_CASE("webhook flow: who has much under way begins no more, and all together neither", "[webhooks]") {
  Flows flows;
  const auto app = AppId::make(kNow), other = AppId::make(kNow);
  const auto room = [&](AppId of) {
    std::int64_t found = -1;
    flows.each_room(kNow, [&](const Uuid& id, std::int64_t more) {
      if (id == of.uuid) found = more;
    });
    return found;
  };
  const Uuid one = new_uuid7(kNow);
  flows.began(app, one, {}, kNow, Flows::kMaxBytesEachApp - 1);
  CHECK(room(app) == Flows::kMaxEachApp - 1);
  flows.began(app, one, {}, kNow, 1);
  CHECK(room(app) == 0);
  CHECK(room(other) == -1);
  CHECK(flows.room() == (Flows::kMaxInFlight - 1) / 2);
  flows.ended(app, one, true, true, 1);
  CHECK(room(app) == Flows::kMaxEachApp - 1);
  flows.began(other, new_uuid7(kNow), {}, kNow, Flows::kMaxBytes);
  CHECK(flows.room() == 0);
  CHECK(room(app) == 0);                       // more than it may have now that another has as much
  flows.ended(app, one, true, true, Flows::kMaxBytesEachApp - 1);
  CHECK(room(app) == -1);
  CHECK(flows.room() == 0);
}

TEST_CASE("webhook flow: however many applications are slow, the next one gets some, too", "[webhooks]") {
  Flows flows;
  const auto room = [&](AppId of) {
    std::int64_t found = flows.room_of_new();
    flows.each_room(kNow, [&](const Uuid& id, std::int64_t more) {
      if (id == of.uuid) found = more;
    });
    return std::min(found, flows.room());
  };
  const auto begin = [&](AppId app, std::int64_t bytes) {
    for (auto more = room(app); more > 0; --more) flows.began(app, new_uuid7(kNow), {}, kNow, bytes);
  };
  const auto first = AppId::make(kNow);
  for (int round = 0; round < 3; ++round) begin(first, 0);
  CHECK(room(first) == 0);
  CHECK(room(AppId::make(kNow)) == 512);
  for (int slow = 1; slow < 100; ++slow) {
    const auto app = AppId::make(kNow);
    for (int round = 0; round < 3; ++round) begin(app, 0);
    REQUIRE(room(AppId::make(kNow)) >= Flows::kFirst);
  }
  CHECK(room(first) == 0);
}

TEST_CASE("webhook flow: however many applications have much under way, the next one begins something, too", "[webhooks]") {
  Flows flows;
  for (int heavy = 0; heavy < 50; ++heavy) {
    const auto app = AppId::make(kNow);
    const auto may = [&] {
      std::int64_t found = flows.room_of_new();
      flows.each_room(kNow, [&](const Uuid& id, std::int64_t more) {
        if (id == app.uuid) found = more;
      });
      return std::min(found, flows.room()) > 0;
    };
    REQUIRE(may());
    while (may()) flows.began(app, new_uuid7(kNow), {}, kNow, 1024 * 1024);
  }
}

TEST_CASE("webhook call: what a batch was answered is kept once, not with each of its events", "[webhooks]") {
  Call call;
  call.items.resize(3);
  call.answer = answer(502, {{"x-page", "long"}});
  call.answer.body = std::string(16 * 1024, 'x');
  Ends ends;
  for (const auto& item : call.items) ends.add(call, item, judge({0, kSteps}, call.answer, kNow, 0));
  const auto lists = ends.take();
  CHECK(text::parse_array_literal(lists[7]) == std::vector<std::string>{"502", "502", "502"});
  CHECK(text::parse_array_literal(lists[10]) == std::vector<std::string>{R"({"x-page":"long"})", "{}", "{}"});
  CHECK(text::parse_array_literal(lists[11]) == std::vector<std::string>{call.answer.body, "", ""});
}
