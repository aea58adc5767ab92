#include "platform/storage/dial.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

#include "platform/storage/sqlstate.h"

namespace chat::storage {
namespace {

using Keywords = std::map<std::string, std::string, std::less<>>;

Keywords parse(const std::string& dsn) {
  // libpq's own message would quote the text that it could not read, which may be a password.
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(dsn.c_str(), nullptr),
                                                                        PQconninfoFree);
  if (!options) throw Error(Code::internal, "The service made a mistake.").with_log("the database's DSN can't be read");
  Keywords keywords;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) keywords[option->keyword] = option->val;
  return keywords;
}

std::string quoted(std::string_view value) {
  std::string out = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string session_settings(const DatabaseOptions& options) {
  auto setting = [](std::string_view name, std::string_view value) {
    return " -c " + std::string(name) + "=" + std::string(value);
  };
  auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  return setting("statement_timeout", ms(options.statement_timeout)) +
         setting("lock_timeout", ms(options.lock_timeout)) +
         setting("idle_in_transaction_session_timeout", ms(options.idle_in_transaction_timeout)) +
         setting("TimeZone", "UTC") + setting("DateStyle", "ISO") + setting("bytea_output", "hex") +
         setting("jit", "off") + setting("plan_cache_mode", options.plan_cache_mode) +
         setting("enable_seqscan", options.reads_whole_tables ? "on" : "off");
}

}  // namespace

std::string conninfo(const DatabaseOptions& options) {
  Keywords keywords = parse(options.dsn);
  // libpq counts in seconds and takes 1 for 2.
  auto seconds = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
  keywords.try_emplace("connect_timeout", std::to_string(seconds));
  keywords.try_emplace("application_name", "chatd");
  keywords["client_encoding"] = "UTF8";
  keywords.try_emplace("keepalives_idle", "10");
  keywords.try_emplace("keepalives_interval", "5");
  keywords.try_emplace("keepalives_count", "3");
  if (options.statement_timeout.count() > 0)
    keywords.try_emplace("tcp_user_timeout", std::to_string((options.statement_timeout + kAnswerMargin).count()));
  keywords["options"] += session_settings(options);   // the last of two wins
  std::string out;
  for (const auto& [name, value] : keywords) out += name + "=" + quoted(value) + " ";
  return out;
}

void Breaker::check() const {
  if (std::chrono::steady_clock::now() < until_) throw unavailable("connect failed a moment ago");
}

}  // namespace chat::storage
