#include <algorithm>
#include <memory>
#include <random>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstWait{500};
constexpr std::chrono::milliseconds kLongestWait{30'000};
constexpr std::chrono::hours kTokenLife{1};
constexpr std::size_t kMaxSummary = 60;

const Sheet kEvent{.columns = {{"CREATED", "created_at"},
                               {"TYPE", "type"},
                               {"CID", "cid"},
                               {"SEQ", "seq"},
                               {"ID", "id"},
                               {"DATA", "data"}},
                   .name = "id"};

struct Given {
  std::string ws_url;
  std::vector<std::string> types, channels;
  std::chrono::milliseconds length{0};  // 0: until interrupted
  std::int64_t count = 0;               // 0: no end
};

std::string padded(std::string text, std::size_t width) {
  const auto has = display_width(text);
  return has < width ? text + std::string(width - has, ' ') : text;
}

/// Who and what, in one short piece.
std::string summary_of(const json::Value& data) {
  std::string out;
  for (const auto* path :
       {"message.user_id", "channel.created_by", "member.user_id", "user.user_id", "user_id", "message.text",
        "message.id", "member.role", "channel.name", "read_seq"}) {
    const auto text = text_at(data, path);
    if (text.empty() || (std::string_view(path) == "message.id" && !text_at(data, "message.text").empty()))
      continue;
    out += (out.empty() ? "" : " ") + text;
  }
  out = printable(out);
  if (out.size() <= kMaxSummary) return out;
  auto end = kMaxSummary;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // not inside a letter
  return out.substr(0, end) + "…";
}

std::string line_of(const json::Value& event) {
  const auto at = text_at(event, "created_at");
  const auto seq = text_at(event, "seq");
  const auto data = find_at(event, "data");
  return (at.size() >= 23 ? at.substr(11, 12) : at) + "  " + padded(printable(text_at(event, "type")), 18) +
         "  " + padded(printable(text_at(event, "cid")), 20) + "  " +
         padded(seq.empty() ? "-" : "#" + seq, 6) + "  " + (data ? summary_of(*data) : "") + "\n";
}

bool matches(const std::string& text, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& pattern) {
           return pattern.back() == '*' ? text.rfind(pattern.substr(0, pattern.size() - 1), 0) == 0
                                        : text == pattern;
         });
}

/// Follows one application's events through as many connections as it takes.
class Tail {
 public:
  Tail(Session& session, const Given& given)
      : session_(session),
        given_(given),
        app_(session.app()),
        url_(url_of(session, given)),
        end_(given.length.count() == 0 ? Clock::time_point::max() : Clock::now() + given.length) {}

  void run() {
    while (follow()) {
      const auto wait = next_wait();
      session_.note("connection lost (" + why_ + "); trying again in " + std::to_string(wait.count()) +
                    " ms");
      if (!wait_uninterrupted(wait)) throw Failure(Exit::interrupted, "");
      if (Clock::now() >= end_) return;
    }
  }

 private:
  static std::string url_of(Session& session, const Given& given) {
    if (!given.ws_url.empty()) return given.ws_url;
    auto url = session.public_url();
    while (!url.empty() && url.back() == '/') url.pop_back();
    return "ws" + url.substr(4) + "/v1/connect";  // http → ws, https → wss
  }

  std::chrono::milliseconds next_wait() {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto wait = wait_;
    wait_ = std::min(wait_ * 2, kLongestWait);
    const auto jitter =
        std::uniform_int_distribution<std::int64_t>(-wait.count() / 5, wait.count() / 5)(random);
    const auto left = end_ == Clock::time_point::max()
                          ? kLongestWait
                          : std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return std::max(std::chrono::milliseconds(0), std::min(wait + std::chrono::milliseconds(jitter), left));
  }

  std::unique_ptr<EventSocket> open() {
    json::Writer body;
    body.object().key("server").boolean(true);
    body.field("ttl_s", std::int64_t{std::chrono::seconds(kTokenLife).count()}).end();
    const auto answer =
        json::Document::parse(post(session_.api(), session_.app_path(app_, "/tokens"), body.take()));
    return session_.world().open_socket({.url = url_,
                                         .api_key = text_at(answer.root(), "api_key"),
                                         .token = text_at(answer.root(), "token"),
                                         .ca_file = session_.context().ca_file});
  }

  /// One connection from beginning to end. True: lost, connect again; `why_` says how.
  bool follow() {
    std::unique_ptr<EventSocket> socket;
    try {
      socket = open();
    } catch (const Failure& failure) {
      if (!was_connected_ || failure.exit() != Exit::unavailable) throw;
      why_ = failure.message();
      return true;
    }
    for (;;) {
      const auto event = socket->next(end_);
      switch (event.kind) {
        case SocketEvent::Kind::frame:
          if (take(event.text)) return false;
          break;
        case SocketEvent::Kind::closed:
          return judge(event);
        case SocketEvent::Kind::deadline:
          return false;
        case SocketEvent::Kind::interrupted:
          throw Failure(Exit::interrupted, "");
      }
    }
  }

  /// True when that was the last one wanted.
  bool take(const std::string& frame) {
    const auto document = json::Document::parse(frame);
    const auto type = text_at(document.root(), "type");
    if (type == "connection.ready") {
      session_.note(was_connected_ ? "connected again; what happened in between is not shown"
                                   : "listening to " + app_ + " at " + url_ + "; Ctrl-C ends");
      was_connected_ = true;
      wait_ = kFirstWait;
      return false;
    }
    if (!find_at(document.root(), "created_at")) return false;  // the connection's own talk, not an event
    if (!matches(type, given_.types) || !matches(text_at(document.root(), "cid"), given_.channels))
      return false;
    print(document.root());
    return given_.count > 0 && ++shown_ == given_.count;
  }

  void print(const json::Value& event) {
    switch (session_.format()) {
      case Format::table:
        return session_.print_text(line_of(event));
      case Format::json:
        return session_.print_text(event.raw() + "\n");
      case Format::yaml:
        return session_.print_text("---\n" + yaml_text(event));
      case Format::name:
        return session_.print_text(render(Format::name, event, kEvent, Style()));
      case Format::csv: {
        auto text = render(Format::csv, event, kEvent, Style());
        if (header_printed_) text.erase(0, text.find("\r\n") + 2);
        header_printed_ = true;
        return session_.print_text(text);
      }
    }
  }

  /// Close codes 4500-4999 and refusals of the handshake are final; all else is worth another try.
  bool judge(const SocketEvent& closed) {
    const auto code = closed.close_code;
    why_ =
        closed.text + (code == 0 ? "" : (closed.text.empty() ? "code " : ", code ") + std::to_string(code));
    if (code >= 4500 && code <= 4999) throw refusal(code == 4505 ? Exit::limit : Exit::denied);
    const auto status = closed.http_status;
    if (status == 401 || status == 403) throw refusal(Exit::denied);
    if (status == 404) throw refusal(Exit::not_found).with_next("is " + url_ + " chatd's public door?");
    if (!was_connected_) throw refusal(Exit::unavailable).with_next("is " + url_ + " chatd's public door?");
    return true;
  }

  [[nodiscard]] Failure refusal(Exit exit) const {
    return Failure(exit, "no connection to " + url_ + ": " + why_);
  }

  Session& session_;
  const Given& given_;
  std::string app_;
  std::string url_;
  Clock::time_point end_;
  std::chrono::milliseconds wait_{kFirstWait};
  std::string why_;
  std::int64_t shown_ = 0;
  bool was_connected_ = false;
  bool header_printed_ = false;
};

}  // namespace

void add_tail(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  line.verb("tail", "Print an application's events as they happen")
      .detail(
          "One line per event; -o json prints a JSON object per line. Reconnects by itself and says so; "
          "events that "
          "happen meanwhile are not shown, they are in the channels' history.")
      .option("--ws-url", "URL", given->ws_url,
              "ws(s)://host:port/v1/connect (default: from the context's public door)")
      .many("--type", "TYPE", given->types, "Only this type; message.* stands for all that begin so")
      .many("--channel", "CID", given->channels, "Only this channel: messaging:general", Fill::channel)
      .duration("--for", given->length, "End after this time with exit code 0")
      .number("--count", given->count, 1, 1'000'000'000, "End after so many events with exit code 0")
      .example("tail --app acme")
      .example("tail --app acme --type message.new --count 1 --for 10s -o json")
      .run([given](Session& session) {
        for (const auto* list : {&given->types, &given->channels})
          if (std::find(list->begin(), list->end(), "") != list->end())
            throw Failure(Exit::usage, "--type and --channel can't be empty");
        Tail(session, *given).run();
      });
}

}  // namespace chat::cli
