#include "platform/http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "platform/base/text.h"
#include "platform/http/target.h"

namespace chat::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::size_t kMaxTargetBytes = 8 * 1024;
constexpr int kMaxHeaders = 128;
constexpr std::uint64_t kMaxReserve = 256 * 1024;   // a promise of a body buys no more memory than this
constexpr std::size_t kMaxHeldInBody = 16 * 1024;   // an unfinished chunk head or trailer

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Error malformed(std::string detail) { return {Code::malformed_request, std::move(detail)}; }

Error refusal_of(const beast::error_code& error) {
  if (error == bhttp::error::header_limit) return {Code::headers_too_large, "The headers are too large."};
  return malformed("The request is not valid HTTP/1.1: " + error.message() + ".");
}

/// Fills a Request from the parser's callbacks. One object reads one request.
class Parser final : public bhttp::basic_parser<true> {
 public:
  Parser(const WireLimits& limits, const RequestReader::BodyLimit& body_limit_of, Request& request, std::optional<Error>& refusal)
      : request_(request), refusal_(refusal), body_limit_of_(body_limit_of), body_limit_(limits.body_bytes) {
    header_limit(static_cast<std::uint32_t>(limits.head_bytes + 4));
    body_limit(std::numeric_limits<std::uint64_t>::max());   // judged here, because it may depend on the head
    eager(true);
  }
  bool expects_continue = false;
  bool names_websocket = false;

 private:
  void on_request_impl(bhttp::verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code& ec) override {
    http_10_ = version == 10;
    const auto known = http::parse_method(view(method));
    if (!known) return refuse({Code::method_not_allowed, "No such method."}, ec);
    request_.method = *known;
    try {
      auto parsed = http::parse_target(view(target));
      request_.path = std::move(parsed.path);
      request_.query = std::move(parsed.query);
    } catch (const Error& error) {
      refuse(error, ec);
    }
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}

  void on_field_impl(bhttp::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& ec) override {
    if (head_done_) return;   // trailers: nothing here may change a request that was already judged
    if (field == bhttp::field::host) ++hosts_;
    if (field == bhttp::field::content_length) check_length(view(value), ec);
    if (field == bhttp::field::transfer_encoding) check_coding(view(value), ec);
    if (field == bhttp::field::expect) expects_continue = !http_10_ && beast::iequals(value, "100-continue");
    if (field == bhttp::field::upgrade)
      names_websocket = names_websocket || bhttp::token_list(value).exists("websocket");
    request_.headers.emplace_back(text::lower_ascii(view(name)), view(value));
  }
  void check_length(std::string_view value, beast::error_code& ec) {
    if (++lengths_ > 1 || value.find_first_not_of("0123456789") != std::string_view::npos)
      refuse(malformed("Content-Length must be given once, as a number."), ec);
  }
  void check_coding(std::string_view value, beast::error_code& ec) {
    if (http_10_) refuse(malformed("HTTP/1.0 has no transfer codings."), ec);
    else if (text::lower_ascii(text::trim(value)) != "chunked")
      refuse({Code::length_required, "Only the transfer coding `chunked` is understood; send Content-Length."}, ec);
  }
  void on_header_impl(beast::error_code& ec) override {
    head_done_ = true;
    request_.keep_alive = keep_alive();
    if (hosts_ > 1 || (hosts_ == 0 && !http_10_)) return refuse(malformed("Exactly one Host header is required."), ec);
    try {
      if (body_limit_of_) body_limit_ = body_limit_of_(request_);
    } catch (const Error& error) {
      return refuse(error, ec);
    }
    if (const auto length = content_length(); length && *length > body_limit_) refuse_size(ec);
  }
  void refuse_size(beast::error_code& ec) { refuse({Code::too_large, "The body is too large."}, ec); }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, beast::error_code&) override {
    if (length) request_.body.reserve(static_cast<std::size_t>(std::min(*length, kMaxReserve)));
  }
  std::size_t on_body_impl(beast::string_view bytes, beast::error_code& ec) override {
    if (bytes.size() > body_limit_ - body_read_) {
      refuse_size(ec);
      return 0;
    }
    body_read_ += bytes.size();
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, beast::error_code& ec) override {
    if (size > body_limit_ - body_read_) refuse_size(ec);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, beast::error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(beast::error_code&) override {}

  void refuse(Error error, beast::error_code& ec) {
    refusal_ = std::move(error);
    ec = bhttp::error::bad_field;
  }

  Request& request_;
  std::optional<Error>& refusal_;
  const RequestReader::BodyLimit& body_limit_of_;
  std::size_t body_limit_;
  std::size_t body_read_ = 0;
  bool http_10_ = false;
  bool head_done_ = false;
  int hosts_ = 0;
  int lengths_ = 0;
};

}  // namespace

struct RequestReader::State {
  State(WireLimits given, BodyLimit given_body_limit) : limits(given), body_limit(std::move(given_body_limit)) { restart(); }

  void restart() {
    request = Request{};
    parser.emplace(limits, body_limit, request, refusal);
    scanned = line_start = 0;
    lines = 0;
    blank_skipped = false;
  }
  std::size_t refuse(Error error) {
    refusal = std::move(error);
    return 0;
  }
  std::size_t advance(std::string_view bytes);
  std::size_t find_head_end(std::string_view bytes);
  bool check_line(std::string_view line);

  WireLimits limits;
  BodyLimit body_limit;
  Request request;
  std::optional<Error> refusal;
  std::optional<Parser> parser;
  std::string held;             // begun but not yet understood: a part of a head or of a chunk's frame
  std::size_t scanned = 0;      // of the head: looked at already
  std::size_t line_start = 0;   // of the head: where the current line begins
  int lines = 0;                // of the head: complete ones
  bool blank_skipped = false;   // RFC 9112 2.2: one empty line before a request is ignored
};

/// Refuses what Beast would accept or wait for. `line` is without CR LF.
bool RequestReader::State::check_line(std::string_view line) {
  if (lines == 0 && line.size() > kMaxTargetBytes)
    refuse({Code::target_too_long, "The request target is too long."});
  else if (lines > 0 && (line.front() == ' ' || line.front() == '\t'))
    refuse(malformed("A header continues on a second line."));
  else if (++lines > kMaxHeaders + 1)
    refuse({Code::headers_too_large, "There are too many headers."});
  return !refusal;
}

/// Length of the whole head with its empty line; 0: more bytes are needed, or refused.
std::size_t RequestReader::State::find_head_end(std::string_view bytes) {
  while (const void* found = std::memchr(bytes.data() + scanned, '\n', bytes.size() - scanned)) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    scanned = at + 1;
    if (at == line_start || bytes[at - 1] != '\r') return refuse(malformed("A line does not end with CR LF."));
    const std::string_view line = bytes.substr(line_start, at - 1 - line_start);
    line_start = at + 1;
    if (at > limits.head_bytes) break;
    if (line.empty() && lines > 0) return at + 1;
    if (!check_line(line)) return 0;
  }
  scanned = bytes.size();
  if (lines == 0 && bytes.size() > std::min(kMaxTargetBytes, limits.head_bytes))
    return refuse({Code::target_too_long, "The request target is too long."});
  if (bytes.size() > limits.head_bytes) return refuse({Code::headers_too_large, "The headers are too large."});
  return 0;
}

/// Returns how many of `bytes` were understood.
std::size_t RequestReader::State::advance(std::string_view bytes) {
  std::size_t used = 0;
  if (!parser->is_header_done()) {
    if (lines == 0 && !blank_skipped && bytes.starts_with("\r\n")) {
      blank_skipped = true;
      scanned = line_start = 0;
      used = 2;
    }
    if (find_head_end(bytes.substr(used)) == 0) return used;
  }
  while (used < bytes.size() && !parser->is_done() && !refusal) {
    beast::error_code error;
    const std::size_t taken = parser->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (error == bhttp::error::need_more) break;
    if (error && !refusal) refusal = refusal_of(error);
    if (taken == 0 && !error) break;
  }
  return used;
}

RequestReader::RequestReader(WireLimits limits, BodyLimit body_limit)
    : state_(std::make_unique<State>(limits, std::move(body_limit))) {}
RequestReader::~RequestReader() = default;

std::size_t RequestReader::read(std::string_view bytes) {
  State& s = *state_;
  if (s.held.empty()) {
    const std::size_t used = s.advance(bytes);
    if (s.refusal || s.parser->is_done()) return used;
    s.held.assign(bytes.substr(used));
  } else {
    s.held.append(bytes);
    const std::size_t used = s.advance(s.held);
    const std::size_t left = s.held.size() - used;
    s.held.erase(0, used);
    if (s.refusal || s.parser->is_done()) {
      s.held.clear();
      return bytes.size() - std::min(bytes.size(), left);
    }
  }
  if (s.parser->is_header_done() && s.held.size() > kMaxHeldInBody)
    s.refuse(malformed("A chunk's frame is too long."));
  return bytes.size();
}

RequestReader::Step RequestReader::step() const {
  if (state_->refusal) return Step::refused;
  if (state_->parser->is_done()) return Step::done;
  if (state_->parser->is_header_done()) return Step::body;
  return state_->held.empty() ? Step::waiting : Step::head;
}

bool RequestReader::take_continue() {
  const bool wanted = step() == Step::body && state_->parser->expects_continue && state_->request.body.empty() &&
                      state_->held.empty();
  state_->parser->expects_continue = false;
  return wanted;
}

std::size_t RequestReader::held_body() const { return state_->request.body.size(); }
std::string RequestReader::take_body() { return std::exchange(state_->request.body, {}); }

bool RequestReader::wants_websocket() const {
  const Parser& parser = *state_->parser;
  return parser.is_done() && parser.names_websocket && parser.upgrade() && state_->request.method == Method::get;
}

Request RequestReader::take() {
  INVARIANT(step() == Step::done, "a request is taken when it is whole");
  Request request = std::move(state_->request);
  state_->restart();
  return request;
}

const Error& RequestReader::refusal() const {
  INVARIANT(state_->refusal, "nothing was refused");
  return *state_->refusal;
}

}  // namespace chat::http
