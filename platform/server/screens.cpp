#include "platform/server/screens.h"

#include <algorithm>
#include <functional>
#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/chat/screening/screening.h"
#include "platform/http/gate.h"
#include "platform/outbound/address.h"

namespace chat::server {
namespace {

using blocklists::Asked;
using blocklists::Behaviour;
using blocklists::Judgement;
using messages::Verdict;

constexpr std::size_t kMaxTexts = 300;         // of one message, with its attachments and poll; one with more is refused
constexpr const char* kRefusal = "This holds what may not be said here.";
constexpr const char* kTooMany = "This holds more texts than can be judged: 300.";
constexpr std::string_view kUnspoken[] = {"type", "id", "upload_id", "mime_type", "color"};

/// Says where something is, not what it is: title_link, image_url, author_icon.
bool is_link(std::string_view pointer, std::string_view text) {
  const auto name = pointer.substr(pointer.rfind('/') + 1);
  const bool holds_one = name.ends_with("url") || name.ends_with("link") || name.ends_with("icon");
  return holds_one && (text.starts_with("https://") || text.starts_with("http://")) && text.find_first_of(" \t\r\n") == std::string_view::npos;
}

/// Calls `each` for every text that people read, in one order; the document comes out again with what it gives.
using Each = std::function<std::string(std::string_view text, const std::string& pointer)>;
void walk(json::Writer& out, const json::Value& value, std::string_view name, const std::string& pointer, const Each& each) {
  if (value.kind() == json::Kind::object) {
    out.object();
    for (const auto& [key, member] : value.members()) walk(out.key(key), member, key, pointer + "/" + std::string(key), each);
    out.end();
  } else if (value.kind() == json::Kind::array) {
    out.array();
    std::size_t i = 0;
    for (const auto& item : value.items()) walk(out, item, name, pointer + "/" + std::to_string(i++), each);
    out.end();
  } else if (value.kind() == json::Kind::text && std::ranges::find(kUnspoken, name) == std::end(kUnspoken)) {
    out.text(each(value.text(), pointer));
  } else {
    out.raw(value.raw());
  }
}

/// The texts of a message, which outlive what is asked about them.
class Texts {
 public:
  explicit Texts(const messages::Send& send) : send_(send) {
    texts_.push_back({"#/text", send.message.text});
    const auto note = [this](std::string_view text, const std::string& pointer) {
      if (texts_.size() < kMaxTexts) texts_.push_back({pointer, std::string(text)});
      else overflows_ = true;
      return std::string();
    };
    rewrite(send.message.attachments, "#/attachments", note);
    if (has_poll()) rewrite(send.message.extras, "#", note);
  }
  [[nodiscard]] Asked asked() const {
    Asked asked{send_.channel_type, send_.message.cid, send_.by_server, false, {}};
    for (const auto& [pointer, text] : texts_) asked.texts.push_back({pointer, text, is_link(pointer, text)});
    return asked;
  }
  void mask(const Judgement& judgement, Verdict& verdict) const {
    if (std::ranges::none_of(judgement.masked, [](const auto& one) { return one.has_value(); })) return;
    verdict.text = judgement.masked[0];
    std::size_t at = 1;
    const auto put = [&](std::string_view text, const std::string&) {
      const auto here = at++;
      return here < judgement.masked.size() && judgement.masked[here] ? *judgement.masked[here] : std::string(text);
    };
    verdict.attachments = rewrite(send_.message.attachments, "#/attachments", put);
    if (has_poll()) verdict.extras = rewrite(send_.message.extras, "#", put);
  }
  [[nodiscard]] const std::string& pointer(std::size_t text) const { return texts_.at(text).pointer; }
  [[nodiscard]] bool overflows() const { return overflows_; }

 private:
  struct Text {
    std::string pointer, text;
  };
  [[nodiscard]] bool has_poll() const { return send_.poll && send_.message.extras; }
  static std::optional<std::string> rewrite(const std::optional<std::string>& json, const std::string& pointer, const Each& each) {
    if (!json) return std::nullopt;
    const auto document = json::Document::parse(*json);
    json::Writer out;
    walk(out, document.root(), "", pointer, each);
    return out.take();
  }
  const messages::Send& send_;
  std::vector<Text> texts_;
  bool overflows_ = false;
};

/// What led to something. `pointer_of`: where a text stands.
template <class PointerOf>
std::string findings_of(const Judgement& judgement, const PointerOf& pointer_of) {
  json::Writer out;
  out.array();
  bool any = false;
  for (const auto& hit : judgement.hits) {
    if (hit.allows || hit.allowed || hit.behaviour == Behaviour::mask) continue;
    any = true;
    out.object().field("source", "list").field("rule", hit.list).field("entry", hit.entry).field("behaviour", word(hit.behaviour))
        .field("field", pointer_of(hit.text)).field("start", static_cast<std::int64_t>(hit.start)).field("end", static_cast<std::int64_t>(hit.end)).end();
  }
  out.end();
  return any ? out.take() : std::string();
}

Verdict::Kind kind_of(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::flag: case Behaviour::mask: return Verdict::Kind::pass;
    case Behaviour::hold: return Verdict::Kind::hold;
    case Behaviour::shadow: return Verdict::Kind::shadow;
    case Behaviour::block: break;
  }
  return Verdict::Kind::block;
}

const blocklists::Hit& worst_of(const Judgement& judgement) {
  const auto worst = std::ranges::find_if(judgement.hits, [&](const auto& hit) { return !hit.allows && !hit.allowed && hit.behaviour == *judgement.behaviour; });
  INVARIANT(worst != judgement.hits.end(), "what follows follows from a find");
  return *worst;
}

/// Every decision, with the lists that it came from; nothing of what was said, nor of what the lists say.
void note_decision(AppId app, std::string_view cid, const Judgement& judgement) {
  if (!judgement.behaviour) return;
  const auto kind = blocklists::word(*judgement.behaviour);
  screening::count_screened("list", kind);
  std::set<std::string_view> lists;
  for (const auto& hit : judgement.hits)
    if (!hit.allows && !hit.allowed) lists.insert(hit.list);
  json::Writer found;
  found.array();
  for (const auto list : lists) found.text(list);
  found.end();
  log::info("screening.decided", {{"app_id", app.wire()}, {"cid", std::string(cid)}, {"source", "list"}, {"verdict", std::string(kind)}, {"findings", found.take()}});
}

Verdict verdict_of(const Judgement& judgement, const Texts& texts) {
  Verdict verdict;
  if (!judgement.behaviour) return verdict;
  verdict.kind = kind_of(*judgement.behaviour);
  verdict.findings = findings_of(judgement, [&texts](std::size_t text) { return texts.pointer(text); });
  if (verdict.kind == Verdict::Kind::block) verdict.reason = kRefusal;
  if (verdict.kind != Verdict::Kind::pass) verdict.pointer = texts.pointer(worst_of(judgement).text);
  texts.mask(judgement, verdict);
  return verdict;
}

Verdict too_many() {
  Verdict verdict;
  verdict.kind = Verdict::Kind::block;
  verdict.reason = kTooMany;
  verdict.pointer = "#/attachments";
  return verdict;
}

Error not_yet() {
  return Error(Code::unavailable, "What judges this is being made ready; try again.").with_retry_after(std::chrono::seconds(1));
}

std::shared_ptr<const blocklists::Rules> rules_of(blocklists::Shelf& shelf, AppId app) {
  auto rules = shelf.find_or_begin(app);
  if (!rules) throw not_yet();
  return rules;
}

}  // namespace

messages::Screen block_list_screen(blocklists::Shelf& shelf, const Clock& clock) {
  return [&shelf, &clock](const messages::Send& send) {
    const auto rules = rules_of(shelf, send.application->id);
    if (rules->is_empty()) return Verdict{};
    const Texts texts(send);
    const auto asked = texts.asked();
    if (texts.overflows() && rules->concern(asked)) return too_many();
    const auto judgement = rules->judge(asked, clock.now());
    note_decision(send.application->id, send.message.cid, judgement);
    return verdict_of(judgement, texts);
  };
}

bool refuses(const blocklists::Rules& rules, const std::string& remote, bool by_server, Timestamp now) {
  if (!rules.judges_addresses()) return false;
  const auto address = outbound::Address::parse(remote);
  return address && rules.refuses(*address, by_server, now);
}

void check_address(blocklists::Shelf& shelf, const tenants::Caller& caller, const std::string& remote, Timestamp now) {
  const auto rules = shelf.find(caller.app());
  if (!rules) throw http::NeedsDatabase{};
  check_address(*rules, caller, remote, now);
}

void check_address(const blocklists::Rules& rules, const tenants::Caller& caller, const std::string& remote, Timestamp now) {
  if (refuses(rules, remote, caller.is_server(), now)) throw forbidden("Nothing is taken from this address.");
}

void close_refused(blocklists::Shelf& shelf, realtime::Gateway& gateway, const Clock& clock) {
  shelf.on_addresses([&gateway, &clock](AppId app, const std::shared_ptr<const blocklists::Rules>& rules) {
    gateway.close_addresses(app, [rules, &clock](const std::string& remote, bool is_server) { return refuses(*rules, remote, is_server, clock.now()); });
  });
}

void lists_changed(blocklists::Shelf& shelf, const realtime::Gateway& gateway, AppId app) {
  shelf.changed(app);
  if (gateway.is_connected(app)) static_cast<void>(shelf.find_or_begin(app));   // forgotten for room, and yet there is somebody to judge
}

tenants::JudgeSaid block_list_names(blocklists::Shelf& shelf, const Clock& clock) {
  return [&shelf, &clock](const tenants::Caller& caller, const tenants::Said& said) {
    if (said.texts.empty()) return std::string();
    const auto rules = rules_of(shelf, caller.app());
    if (rules->is_empty()) return std::string();
    Asked asked{said.channel_type, said.cid, caller.is_server(), !said.is_sent, {}};
    for (const auto& one : said.texts) asked.texts.push_back({one.pointer, *one.text, false});
    const auto judgement = rules->judge(asked, clock.now());
    note_decision(caller.app(), said.cid, judgement);
    if (judgement.behaviour && *judgement.behaviour >= Behaviour::hold)
      throw Error(Code::forbidden, kRefusal, {{said.texts[worst_of(judgement).text].pointer, "Refused for what it says."}});
    for (std::size_t i = 0; i < said.texts.size(); ++i)
      if (judgement.masked[i]) *said.texts[i].text = *judgement.masked[i];
    return findings_of(judgement, [&said](std::size_t text) { return said.texts[text].pointer; });
  };
}

JudgeOption option_screen(messages::Screen screen) {
  return [screen = std::move(screen)](const tenants::Caller& caller, const channels::Opened& opened, const std::string& text) {
    messages::Send asked;
    asked.application = caller.shared_application();
    asked.channel_type = opened.channel.type;
    asked.channel_id = opened.channel.channel_id;
    asked.by_server = caller.is_server();
    asked.message.cid = opened.channel.cid();
    asked.message.user_id = opened.acting_user;
    asked.message.text = text;
    const auto verdict = screen(asked);
    messages::check_change(verdict, "#", "text");
    return polls::Services::Judged{verdict.text.value_or(text), verdict.findings};
  };
}

}  // namespace chat::server
