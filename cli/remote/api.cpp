#include "cli/remote/api.h"

#include <algorithm>

#include "cli/exit_code.h"
#include "cli/output/value.h"
#include "cli/remote/problem.h"
#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::size_t kPage = 100;

/// Writes the page's items and returns the cursor of the page after it, or nothing at the end.
std::optional<std::string> append_page(const std::string& body, const std::string& member, std::size_t limit,
                                       json::Writer& out, std::size_t& taken) {
  const auto page = json::Document::parse(body);
  const auto root = page.root();
  const auto items = root.kind() == json::Kind::object ? root.find(member) : std::nullopt;
  if (!items || items->kind() != json::Kind::array)
    throw Failure(Exit::failure, "the server's answer has no list of " + member + "; is it another version?")
        .with_next("chatctl doctor");
  for (const auto& item : items->items()) {
    if (limit != 0 && taken == limit) return std::nullopt;
    out.raw(item.raw());
    ++taken;
  }
  const auto next = root.find("next");
  if (!next || next->kind() != json::Kind::text) return std::nullopt;
  return std::string(next->text());
}

}  // namespace

std::string call(Api& api, const ApiRequest& request) {
  auto answer = api.send(request);
  if (answer.status < 200 || answer.status > 299) throw failure_of(request, answer);
  return std::move(answer.body);
}

std::string get(Api& api, const std::string& path, std::vector<std::pair<std::string, std::string>> query) {
  return call(api, {.method = "GET", .path = path, .query = std::move(query)});
}

std::string post(Api& api, const std::string& path, const std::string& body) {
  return call(api, {.method = "POST", .path = path, .body = body});
}

std::string put(Api& api, const std::string& path, const std::string& body) {
  return call(api, {.method = "PUT", .path = path, .body = body});
}

std::string patch(Api& api, const std::string& path, const std::string& body) {
  return call(api, {.method = "PATCH", .path = path, .body = body});
}

void del(Api& api, const std::string& path, std::vector<std::pair<std::string, std::string>> query) {
  call(api, {.method = "DELETE", .path = path, .query = std::move(query)});
}

std::string list_all(Api& api, const std::string& path, const std::string& member,
                     std::vector<std::pair<std::string, std::string>> query, std::size_t limit) {
  json::Writer out;
  out.array();
  std::size_t taken = 0;
  std::optional<std::string> next;
  do {
    auto page = query;
    page.emplace_back("limit", std::to_string(limit == 0 ? kPage : std::min(kPage, limit - taken)));
    if (next) page.emplace_back("next", *next);
    next = append_page(get(api, path, page), member, limit, out, taken);
  } while (next && (limit == 0 || taken < limit));
  out.end();
  return out.take();
}

std::string query_all(Api& api, const std::string& path, const std::string& member,
                      const std::vector<std::pair<std::string, std::string>>& with, std::size_t limit,
                      std::size_t most) {
  json::Writer out;
  out.array();
  std::size_t taken = 0;
  std::optional<std::string> next;
  do {
    json::Writer body;
    body.object();
    for (const auto& [name, json] : with) body.key(name).raw(json);
    body.field("limit", static_cast<std::int64_t>(limit == 0 ? most : std::min(most, limit - taken)));
    if (next) body.field("next", *next);
    body.end();
    next = append_page(post(api, path, body.take()), member, limit, out, taken);
  } while (next && (limit == 0 || taken < limit));
  out.end();
  return out.take();
}

std::string status_of_one(const std::string& answer, const std::string& whom) {
  const auto document = json::Document::parse(answer);
  const auto results = find_at(document.root(), "results");
  const auto first = results && !results->items().empty() ? results->items().front() : document.root();
  auto status = text_at(first, "status");
  if (status == "refused") throw Failure(Exit::conflict, whom + " refused: " + text_at(first, "error.detail"));
  return status;
}

std::string channel_path(const std::string& cid, const std::string& rest) {
  const auto colon = cid.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == cid.size())
    throw Failure(Exit::usage, "\"" + cid + "\" is no channel; write TYPE:ID, as messaging:general");
  return "/v1/channels/" + text::percent_encode(cid.substr(0, colon)) + "/" +
         text::percent_encode(cid.substr(colon + 1)) + rest;
}

}  // namespace chat::cli
