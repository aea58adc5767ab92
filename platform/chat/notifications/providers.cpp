#include "platform/chat/notifications/providers.h"

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/chat/notifications/providers.sql.h"
#include "tenants/directory.h"

namespace chat::notifications {
namespace {

constexpr std::size_t kKeyBytes = 32;

std::string context_of(AppId app, const std::string& provider, const std::string& name) { return app.wire() + "/push/" + provider + "/" + name; }

std::string member(const json::Value& document, std::string_view name) {
  const auto value = document.find(name);
  return value && value->kind() == json::Kind::text ? std::string(value->text()) : std::string();
}

push::WebPush web_settings(const json::Value& document) { return {member(document, "private_key"), member(document, "contact")}; }

/// A key for browsers: the one given, the one there is, or a new one.
std::string complete(storage::Transaction& tx, const Senders& senders, const ProviderInput& input) {
  const auto document = json::Document::parse(input.document);
  if (input.provider != "web" || !member(document.root(), "private_key").empty()) return input.document;
  std::string key = crypto::base64url(crypto::random_bytes(kKeyBytes));   // all but one in 2^32 are keys of P-256; the others are refused
  if (auto rows = tx.find(sql::find_push_provider, tx.app(), input.provider, input.name)) {
    const auto kept = senders.sealer().open((*rows)[0].bytes(0), context_of(tx.app(), input.provider, input.name));
    if (kept) key = member(json::Document::parse(*kept).root(), "private_key");
  }
  json::Writer out;
  out.object().field("private_key", key).field("contact", member(document.root(), "contact")).end();
  return out.take();
}

/// What is no secret of the credentials.
std::string shown_of(const std::string& provider, const std::string& text) {
  const auto document = json::Document::parse(text);
  json::Writer out;
  out.object();
  if (provider == "fcm") {
    const auto account = json::Document::parse(member(document.root(), "service_account"));
    out.field("project_id", member(account.root(), "project_id")).field("client_email", member(account.root(), "client_email"));
  } else if (provider == "apns") {
    for (const char* name : {"key_id", "team_id", "topic"}) out.field(name, member(document.root(), name));
    const auto sandbox = document.root().find("sandbox");
    out.key("sandbox").boolean(sandbox && sandbox->boolean());
  } else {
    out.field("contact", member(document.root(), "contact")).field("public_key", push::web_push_public_key(web_settings(document.root())));
  }
  out.end();
  return out.take();
}

ProviderShown read_row(const storage::Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), row.time(3), row.time(4)};
}

void note_pushes(storage::Transaction& tx, bus::Bus& bus) {
  if (!tx.query(sql::note_pushes, tx.app()).empty()) tenants::announce_change(tx, bus, tx.app());
}

}  // namespace

std::string provider_json(const ProviderShown& provider) {
  json::Writer out;
  out.object().field("provider", provider.provider).field("name", provider.name);
  const auto shown = json::Document::parse(provider.shown);
  for (const auto& [name, value] : shown.root().members()) out.key(name).raw(value.raw());
  out.key("created_at").time(provider.created_at).key("updated_at").time(provider.updated_at).end();
  return out.take();
}

std::shared_ptr<push::Provider> Senders::make(AppId app, const std::string& provider, const std::string& text) const {
  const auto document = json::Document::parse(text);
  const auto& root = document.root();
  if (provider == "fcm") return push::make_fcm({member(root, "service_account"), urls_.fcm}, app.wire(), client_, clock_);
  if (provider == "web") return push::make_web_push(web_settings(root), app.wire(), client_, clock_);
  const auto sandbox = root.find("sandbox");
  return push::make_apns({member(root, "private_key"), member(root, "key_id"), member(root, "team_id"), member(root, "topic"),
                          sandbox && sandbox->boolean() ? urls_.apns_sandbox : urls_.apns},
                         app.wire(), client_, clock_);
}

std::shared_ptr<push::Provider> Senders::find(storage::Transaction& tx, const std::string& provider, const std::string& name) {
  auto rows = tx.find(sql::find_push_provider, tx.app(), provider, name);
  if (!rows) return nullptr;
  const auto context = context_of(tx.app(), provider, name);
  const auto updated_at = (*rows)[0].time(1);
  {
    const std::lock_guard lock(mutex_);
    if (const auto kept = kept_.find(context); kept != kept_.end() && kept->second.updated_at == updated_at) return kept->second.provider;
  }
  const auto document = sealer_.open((*rows)[0].bytes(0), context);
  if (!document) {
    log::error("push.provider_unreadable", {{"app_id", tx.app().wire()}, {"provider", provider}});
    return nullptr;
  }
  auto made = make(tx.app(), provider, *document);
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxKept && !kept_.contains(context)) kept_.erase(kept_.begin());
  kept_[context] = {updated_at, made};
  return made;
}

SavedProvider save_provider(storage::Transaction& tx, bus::Bus& bus, const Senders& senders, const ProviderInput& input, Timestamp now) {
  tx.query(sql::lock_push_application, tx.app());
  const bool is_new = !tx.find(sql::find_push_provider, tx.app(), input.provider, input.name);
  if (is_new && tx.query(sql::count_push_providers, tx.app())[0].integer(0) >= kMaxProviders)
    throw Error(Code::limit_reached, "An application may have 10 push providers; delete one first.");
  const auto document = complete(tx, senders, input);
  (void)senders.make(tx.app(), input.provider, document);
  const auto sealed = crypto::hex(senders.sealer().seal(document, context_of(tx.app(), input.provider, input.name)));
  tx.run(sql::save_push_provider, tx.app(), input.provider, input.name, sealed, shown_of(input.provider, document), now);
  note_pushes(tx, bus);
  auto rows = tx.query(sql::list_push_providers, tx.app(), std::optional<std::string>(input.provider), std::optional<std::string>(input.name));
  return {is_new, read_row(rows[0])};
}

std::vector<ProviderShown> list_providers(storage::Transaction& tx) {
  std::vector<ProviderShown> providers;
  auto rows = tx.query(sql::list_push_providers, tx.app(), std::nullopt, std::nullopt);
  for (auto row : rows) providers.push_back(read_row(row));
  return providers;
}

void delete_provider(storage::Transaction& tx, bus::Bus& bus, const std::string& provider, const std::string& name) {
  tx.query(sql::lock_push_application, tx.app());
  if (tx.run(sql::delete_push_provider, tx.app(), provider, name) == 0) throw not_found("push provider");
  note_pushes(tx, bus);
}

std::string web_key(storage::Transaction& tx, const std::string& name) {
  auto rows = tx.query(sql::list_push_providers, tx.app(), std::optional<std::string>("web"), std::optional<std::string>(name));
  if (rows.empty()) throw not_found("push provider");
  return member(json::Document::parse(std::string(rows[0].text(2))).root(), "public_key");
}

}  // namespace chat::notifications
