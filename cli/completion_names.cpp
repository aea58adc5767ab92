#include "cli/completion_names.h"

#include <array>

#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

using Candidates = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::milliseconds kDeadline{1'000};
constexpr std::int64_t kPage = 100;
constexpr std::size_t kMost = 1'000;

enum class Paging { none, query, body };  // where `limit` and `next` are given

/// `below`: the operator's door, below the application that is meant.
enum class Door { operators, below, customers };

/// Where names of a kind come from.
struct Source {
  Fill fill;
  Door door;
  Paging paging;
  const char* path;
  const char* rows;
  const char* word;
  const char* meaning;
};

constexpr std::array<Source, 13> kSources{{
    {Fill::application, Door::operators, Paging::query, "/operator/v1/applications", "applications", "name", "app_id"},
    {Fill::plan, Door::operators, Paging::none, "/operator/v1/plans", "plans", "plan_id", "name"},
    {Fill::operator_name, Door::operators, Paging::query, "/operator/v1/operators", "operators", "name", "role"},
    {Fill::statement, Door::below, Paging::query, "/statements", "statements", "statement_id", "month"},
    {Fill::secret, Door::below, Paging::none, "/keys", "secrets", "secret_id", "created_at"},
    {Fill::channel_type, Door::customers, Paging::none, "/v1/channel_types", "channel_types", "type", ""},
    {Fill::channel, Door::customers, Paging::body, "/v1/channels/query", "channels", "channel.cid", "channel.name"},
    {Fill::user, Door::customers, Paging::body, "/v1/users/query", "users", "user_id", "name"},
    {Fill::team, Door::customers, Paging::query, "/v1/teams", "teams", "team_id", "name"},
    {Fill::campaign, Door::customers, Paging::query, "/v1/campaigns", "campaigns", "id", "name"},
    {Fill::segment, Door::customers, Paging::query, "/v1/segments", "segments", "id", "name"},
    {Fill::webhook, Door::customers, Paging::none, "/v1/webhooks/endpoints", "webhook_endpoints", "id", "url"},
    {Fill::block_list, Door::customers, Paging::none, "/v1/block_lists", "block_lists", "name", "kind"},
}};

/// Without a quote in any shell; a channel's cid may have its colon.
bool is_plain(const std::string& word) {
  return !word.empty() && word.find_first_of(" \t\n'\"\\$`&|;<>()*?[]{}#~!=") == std::string::npos;
}

/// One page. A user that is half typed is searched for.
std::string ask(Session& session, const Source& source, const std::string& typed, const std::string& next) {
  auto& api = source.door == Door::customers ? session.public_api() : session.api();
  const auto path = source.door == Door::below ? session.app_path(session.app(), source.path) : std::string(source.path);
  if (source.paging == Paging::none) return get(api, path);
  if (source.paging == Paging::query) {
    std::vector<std::pair<std::string, std::string>> query{{"limit", std::to_string(kPage)}};
    if (!next.empty()) query.emplace_back("next", next);
    return get(api, path, query);
  }
  const bool searches = source.fill == Fill::user && !typed.empty();
  json::Writer body;
  body.object().field("limit", kPage);
  if (searches) body.field("q", typed);
  if (!next.empty()) body.field("next", next);
  body.end();
  return post(api, searches ? "/v1/users/search" : path, body.take());
}

void add_names(const json::Value& page, const Source& source, Candidates& out) {
  const auto rows = find_at(page, source.rows);
  if (!rows) return;
  for (const auto& row : rows->items()) {
    auto word = text_at(row, source.word);
    auto meaning = *source.meaning == '\0' ? std::string() : text_at(row, source.meaning);
    if (!is_plain(word)) std::swap(word, meaning);
    if (is_plain(word)) out.emplace_back(std::move(word), std::move(meaning));
  }
}

Candidates names_from_server(Session& session, const Source& source, const std::string& typed) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  Candidates out;
  std::string next;
  do {
    const auto page = json::Document::parse(ask(session, source, typed, next));
    add_names(page.root(), source, out);
    next = text_at(page.root(), "next");
  } while (!next.empty() && out.size() < kMost && std::chrono::steady_clock::now() < end);
  return out;
}

}  // namespace

Candidates names_of(Fill fill, const std::string& typed, const Globals& given, World& world) {
  auto globals = given;
  globals.timeout = kDeadline;
  globals.no_input = true;
  globals.verbose = false;
  globals.dry_run = false;
  if (globals.token_file == "-") return {};
  Candidates out;
  if (fill == Fill::context)
    for (const auto& [name, context] : load_contexts(world).contexts) out.emplace_back(name, context.server);
  for (const auto& source : kSources) {
    if (source.fill != fill) continue;
    Session session(world, globals);
    out = names_from_server(session, source, typed);
  }
  return out;
}

}  // namespace chat::cli
