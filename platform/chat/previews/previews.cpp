#include "platform/chat/previews/previews.h"

#include <algorithm>
#include <map>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/previews/page.h"
#include "platform/chat/previews/previews.sql.h"
#include "platform/chat/previews/urls.h"

namespace chat::previews {
namespace {

constexpr int kMaxMessages = 100;              // one turn
constexpr const char* kLease = "2 seconds";
constexpr int kSliceRows = 1'000;

using Kept = std::map<std::string, std::optional<std::string>>;   // by URL: what its page says, JSON

std::string hash_of(const std::string& url) { return crypto::hex(crypto::sha256(url)); }

void count_page(const char* result) {
  metrics::counter("chat_link_previews_total", "Pages fetched for link previews, by their end.", {{"result", result}}).add();
}

Kept find_kept(storage::Transaction& tx, const std::vector<std::string>& urls, Timestamp now) {
  text::ArrayLiteral hashes;
  std::map<std::string, std::string> by_hash;
  for (const auto& url : urls) {
    hashes.add(hash_of(url));
    by_hash[hash_of(url)] = url;
  }
  Kept kept;
  auto rows = tx.query(sql::find_kept, tx.app(), hashes.take(), now);
  for (auto row : rows) kept[by_hash.at(std::string(row.text(0)))] = row.optional_text(1);
  return kept;
}

bool is_own(const json::Value& attachment) {
  const auto mark = attachment.find("preview");
  return mark && mark->kind() == json::Kind::boolean && mark->boolean();
}

/// The message's attachments, with the previews of the links that it holds now in place of older ones.
std::optional<std::string> attachments_with(const messages::Message& message, const std::vector<std::string>& urls, const Kept& kept) {
  json::Writer out;
  out.array();
  std::size_t count = 0;
  const auto document = json::Document::parse(message.attachments.value_or("[]"));
  for (const auto& attachment : document.root().items()) {
    if (is_own(attachment)) continue;
    out.raw(attachment.raw());
    ++count;
  }
  for (const auto& url : urls) {
    const auto found = kept.find(url);
    if (found == kept.end() || !found->second || count >= messages::kMaxAttachments) continue;
    const auto page = json::Document::parse(*found->second);
    out.object().field("type", "link").key("preview").boolean(true).field("url", url);
    for (const auto& [name, value] : page.root().members()) out.key(name).raw(value.raw());
    out.end();
    ++count;
  }
  out.end();
  auto attachments = out.take();
  if (count == 0) return std::nullopt;
  return attachments;
}

/// True: the message changed.
bool attach(storage::Transaction& tx, bus::Bus& bus, ChannelId id, MessageId message_id, Timestamp now) {
  auto head = tx.find(sql::lock_preview_channel, tx.app(), id);
  tx.run(sql::finish_preview, tx.app(), id, message_id);
  if (!head) return false;
  channels::Channel channel;
  channel.id = id;
  channel.type = (*head)[0].text(0);
  channel.channel_id = (*head)[0].text(1);
  auto found = messages::find_messages(tx, channel, {message_id});   // as it is under the head's lock
  if (found.empty() || found.front().deleted_at) return false;
  const auto urls = find_urls(found.front().text);
  const auto attachments = attachments_with(found.front(), urls, find_kept(tx, urls, now));
  const auto before = found.front().attachments;
  if (attachments && attachments->size() > messages::kMaxAttachmentBytes) return false;
  if ((!attachments && !before) || tx.run(sql::attach_previews, tx.app(), id, message_id, attachments) == 0) return false;
  const auto message = messages::find_messages(tx, channel, {message_id}).front();
  if (message.attachments == before) return false;
  channels::tell(tx, bus, channel, now, {{.type = messages::kMessageUpdated, .data = messages::message_data(message), .message = message_id}});
  return true;
}

std::string page_json(const Page& page) {
  json::Writer out;
  out.object().field("title", page.title).optional_field("description", page.description).optional_field("image", page.image)
      .optional_field("site_name", page.site_name).end();
  return out.take();
}

}  // namespace

void Fetcher::turn(storage::Connection& connection) {
  std::optional<storage::Rows> claimed;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    claimed = tx.query(sql::claim_previews, services_.clock.now(), kLease, kMaxMessages);
  });
  for (auto row : *claimed) look_at(connection, {AppId{row.uuid(0)}, ChannelId{row.uuid(1)}, MessageId{row.uuid(2)}}, row.time(3));
}

void Fetcher::look_at(storage::Connection& connection, const Place& place, Timestamp queued_at) {
  const auto now = services_.clock.now();
  std::vector<std::string> missing;
  connection.transact(place.app, storage::Mode::read, [&](storage::Transaction& tx) {
    missing.clear();
    const auto found = messages::find_messages(tx, {{place.channel, place.message}});
    if (found.empty() || found.front().deleted_at) return;
    const auto urls = find_urls(found.front().text);
    const auto kept = find_kept(tx, urls, now);
    for (const auto& url : urls)
      if (!kept.contains(url)) missing.push_back(url);
  });
  if (!missing.empty() && now - queued_at < kGivesUp) {
    for (const auto& url : missing) begin(place, url);
    return;
  }
  connection.transact(place.app, storage::Mode::write,
                      [&](storage::Transaction& tx) { attach(tx, services_.bus, place.channel, place.message, now); });
}

void Fetcher::begin(const Place& place, const std::string& url) {
  {
    const std::lock_guard lock(mutex_);
    if (fetching_.size() >= kMaxFetching || !fetching_.emplace(place.app, url).second) return;
  }
  fetch({place, url, url, 0});
}

void Fetcher::fetch(Page page) {
  outbound::Call call;
  call.method = "GET";
  call.url = page.location;
  call.headers = {{"Accept", "text/html,application/xhtml+xml"}};
  call.tenant = page.place.app.text();
  call.timeout = kTimeout;
  call.max_body_bytes = kMaxPageBytes;
  services_.client.send(std::move(call), [this, page](const outbound::Answer& answer) { end(page, answer); });
}

/// On the client's thread: follows, or hands over.
void Fetcher::end(const Page& page, const outbound::Answer& answer) {
  const bool leads_on = answer.status == 301 || answer.status == 302 || answer.status == 303 || answer.status == 307 || answer.status == 308;
  if (answer.outcome == outbound::Outcome::answered && leads_on && page.redirects < kMaxRedirects) {
    if (auto next = resolve_location(page.location, answer.header("location"))) return fetch({page.place, page.url, *next, page.redirects + 1});
  }
  const bool taken = answer.outcome != outbound::Outcome::stopped && services_.run([this, page, answer](storage::Connection& connection) {
    try {
      keep(connection, page, answer);
    } catch (const Error& error) {
      log::warn("previews.page_not_kept", {{"detail", error.what()}});
    }
    forget(page);
  });
  if (!taken) forget(page);
}

void Fetcher::keep(storage::Connection& connection, const Page& page, const outbound::Answer& answer) {
  std::optional<std::string> preview;
  if (answer.outcome == outbound::Outcome::answered && answer.status == 200)
    if (auto read = read_page(answer.body, answer.header("content-type"))) preview = page_json(*read);
  const auto now = services_.clock.now();
  const Timestamp expires_at = preview ? now + kKept : now + kKeptFailure;
  connection.transact(page.place.app, storage::Mode::write, [&](storage::Transaction& tx) {
    tx.run(sql::keep_preview, tx.app(), hash_of(page.url), preview, now, expires_at);
    tx.run(sql::release_preview, tx.app(), page.place.channel, page.place.message);
  });
  count_page(preview ? "shown" : answer.outcome == outbound::Outcome::answered ? "nothing" : std::string(word(answer.outcome)).c_str());
}

void Fetcher::forget(const Page& page) {
  const std::lock_guard lock(mutex_);
  fetching_.erase({page.place.app, page.url});
}

void sweep_previews(storage::Connection& connection) {
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) { tx.query(sql::sweep_previews, kSliceRows); });
}

}  // namespace chat::previews
