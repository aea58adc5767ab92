#include "platform/http/router.h"

#include <array>
#include <functional>
#include <map>

#include "platform/base/error.h"
#include "platform/base/text.h"

namespace chat::http {
namespace {

constexpr std::size_t kMaxSegments = 24;   // deeper than any route; a longer path matches nothing
constexpr std::size_t kMethodCount = 7;

/// The decoded segments of a path. Undecodable or empty ones make the whole path invalid.
struct Segments {
  std::array<std::string_view, kMaxSegments> views;
  std::array<std::string, kMaxSegments> decoded;   // backs the views that had escapes
  std::size_t count = 0;
};

bool decode_segment(std::string_view raw, std::string& owned, std::string_view& view) {
  view = raw;
  if (raw.empty()) return false;
  if (raw.find('%') != std::string_view::npos) {
    if (!text::percent_decode(raw, owned)) return false;
    view = owned;
  }
  return view.find('\0') == std::string_view::npos && text::is_utf8(view);
}

bool split(std::string_view path, Segments& out) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  if (path.empty()) return true;
  for (;;) {
    if (out.count == kMaxSegments) return false;
    const auto slash = path.find('/');
    if (!decode_segment(path.substr(0, slash), out.decoded[out.count], out.views[out.count])) return false;
    ++out.count;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_part(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

}  // namespace

struct Router::Node {
  std::map<std::string, std::shared_ptr<Node>, std::less<>> literals;
  std::shared_ptr<Node> part;
  std::array<const Route*, kMethodCount> routes{};

  /// Calls `visit` with every node that matches, literals before parts, until it returns true.
  template <class Visit>
  bool walk(const Segments& path, std::size_t at, const Visit& visit) const {
    if (at == path.count) return visit(*this);
    if (const auto child = literals.find(path.views[at]); child != literals.end())
      if (child->second->walk(path, at + 1, visit)) return true;
    return part && part->walk(path, at + 1, visit);
  }
};

void Router::add(Route route) {
  INVARIANT(!!route.handler != !!route.async, "a route has one handler");
  if (!root_) root_ = std::make_shared<Node>();
  auto& kept = *routes_.emplace_back(std::make_unique<Route>(std::move(route)));
  Segments pattern;
  INVARIANT(split(kept.pattern, pattern), "a route's pattern is a path");
  Node* node = root_.get();
  for (std::size_t i = 0; i < pattern.count; ++i) {
    auto& next = is_part(pattern.views[i]) ? node->part : node->literals[std::string(pattern.views[i])];
    if (!next) next = std::make_shared<Node>();
    node = next.get();
  }
  auto& slot = node->routes[static_cast<std::size_t>(kept.method)];
  INVARIANT(!slot, "two routes for the same method and shape");
  slot = &kept;
}

namespace {

/// The names of the parts, in order, as views into the route's own pattern.
void fill_parts(const Route& route, const Segments& path, Request& request) {
  std::string_view rest = std::string_view(route.pattern).substr(1);
  for (std::size_t i = 0; i < path.count; ++i) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
    if (is_part(segment)) request.path_parts.emplace_back(segment.substr(1, segment.size() - 2), path.views[i]);
  }
}

std::string allow_list(const std::array<bool, kMethodCount>& has) {
  std::string allow;
  for (std::size_t i = 0; i < kMethodCount; ++i)
    if (has[i]) allow += std::string(word(static_cast<Method>(i))) + ", ";
  return allow + std::string(word(Method::options));
}

}  // namespace

Router::Match Router::match(Request& request) const {
  Match match;
  Segments path;
  request.route = nullptr;
  request.path_parts.clear();
  if (!root_ || !split(request.path, path)) return match;

  constexpr auto index = [](Method method) { return static_cast<std::size_t>(method); };
  std::array<bool, kMethodCount> has{};
  root_->walk(path, 0, [&](const Node& node) {
    const Route* route = node.routes[index(request.method)];
    if (!route && request.method == Method::head) route = node.routes[index(Method::get)];
    match.route = route;
    for (std::size_t i = 0; i < kMethodCount && !route; ++i) has[i] = has[i] || node.routes[i];
    has[index(Method::head)] = has[index(Method::head)] || has[index(Method::get)];
    return route != nullptr;
  });
  if (match.route) {
    request.route = match.route;
    fill_parts(*match.route, path, request);
    return match;
  }
  for (const bool each : has) match.other_method = match.other_method || each;
  has[index(Method::options)] = false;
  if (match.other_method) match.allow = allow_list(has);
  return match;
}

std::vector<const Route*> Router::routes() const {
  std::vector<const Route*> all;
  all.reserve(routes_.size());
  for (const auto& route : routes_) all.push_back(route.get());
  return all;
}

}  // namespace chat::http
