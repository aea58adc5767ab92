#include "platform/chat/screening/screening.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/chat/screening/screening.sql.h"

namespace chat::screening {
namespace {

/// Every decision, with what it came from; nothing of the message.
void log_verdict(const char* source, const Said& said, const Verdict& verdict) {
  const std::string kind(word_of(verdict));
  count_screened(source, kind);
  if (verdict.findings.empty()) return;
  log::info("screening.decided", {{"app_id", said.application->id.wire()}, {"cid", said.cid()}, {"source", source}, {"verdict", kind}, {"findings", verdict.findings}});
}

/// What the rule measures of one message, 0: it does not concern it.
std::int64_t measure(const Rule& rule, const Signs& signs, const Said& said, std::int64_t counted) {
  switch (rule.kind) {
    case Kind::repeats: return signs.length >= rule.min_length ? counted : 0;
    case Kind::message_rate: return counted;
    case Kind::mentions: return rule.counts() ? (said.mentions > 0 ? counted : 0) : said.mentions;
    case Kind::caps: return signs.cased >= rule.min_length ? signs.capitals * 100 / signs.cased : 0;
    case Kind::links: return signs.links + said.attached_links;
    case Kind::attachments: return said.attachments;
  }
  return 0;
}

bool concerns(const Rule& rule, const Said& said) {
  if (!rule.enabled || (said.by_server && !rule.includes_servers)) return false;
  return rule.channel_types.empty() || std::ranges::find(rule.channel_types, said.channel_type) != rule.channel_types.end();
}

/// A bit for each rule that is about such a message.
std::uint32_t concerned_by(const Rules& rules, const Said& said) {
  std::uint32_t concerned = 0;
  for (std::size_t i = 0; i < rules.list.size() && i < kMaxRules; ++i)
    if (concerns(rules.list[i], said)) concerned |= 1U << i;
  return concerned;
}

bool has_feature(const Said& said) { return !said.account || said.account->limits()->has(billing::Feature::moderation); }

bool asks_for(const Classifier& classifier, const Said& said, bool is_marked) {
  if (said.by_server || !said.account || (classifier.asks == "marked" && !is_marked)) return false;
  return classifier.channel_types.empty() || std::ranges::find(classifier.channel_types, said.channel_type) != classifier.channel_types.end();
}

}  // namespace

std::int64_t links_in(const std::vector<json::Value>& attachments) {
  std::int64_t links = 0;
  for (const auto& attachment : attachments) {
    if (attachment.kind() != json::Kind::object) continue;
    for (const auto& [name, value] : attachment.members())
      if ((name.ends_with("link") || name == "og_scrape_url") && value.kind() == json::Kind::text && !value.text().empty()) ++links;
  }
  return links;
}

void count_screened(std::string_view source, std::string_view verdict) {
  metrics::counter("chat_screened_total", "Texts that lists or rules found something in or a classifier judged, by what followed.",
                   {{"source", std::string(source)}, {"verdict", std::string(verdict)}}).add();
}

std::shared_ptr<const Screening::Set> Screening::set_of(const tenants::Application& application) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(application.id);
    if (found != kept_.end() && found->second->version == application.screening_version) return found->second;
  }
  auto set = std::make_shared<Set>();
  set->version = application.screening_version;
  const auto document = json::Document::parse(application.screening);
  const auto root = document.root();
  set->rules = parse_rules(root.find("rules")->raw(), root.find("rules_version")->integer());
  const auto classifier = root.find("classifier");
  if (classifier && classifier->kind() == json::Kind::object) {
    auto ready = std::make_shared<ReadyClassifier>();
    ready->settings = parse_classifier(classifier->raw());
    const auto sealed = crypto::parse_base64(root.find("sealed")->text());
    const auto key = sealed ? open_key(application.id, sealer_, *sealed) : std::nullopt;
    if (!key) log::error("classifier.key_unreadable", {{"app_id", application.id.wire()}});
    if (key) ready->key = *key;
    ready->is_signed = key.has_value();
    set->classifier = std::move(ready);
  }
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxKept && !kept_.contains(application.id)) kept_.erase(kept_.begin());
  kept_[application.id] = set;
  return set;
}

std::vector<Fired> Screening::find_fired(const Rules& rules, const Said& said, Counting counting) {
  std::vector<Fired> fired;
  const auto concerned = concerned_by(rules, said);
  if (concerned == 0) return fired;
  const auto signs = read_signs(said.text);
  const Seen seen{signs.print, said.nonce, said.mentions, concerned};
  Counts counts;
  if (counting == Counting::looks) counts = watch_.look(said.application->id, said.user_id, rules, seen, clock_.now());
  if (counting == Counting::adds && rules.longest_window_s > 0) counts = watch_.see(said.application->id, said.user_id, rules, seen, clock_.now());
  for (std::size_t i = 0; i < rules.list.size() && i < kMaxRules; ++i) {
    const auto& rule = rules.list[i];
    if ((concerned & (1U << i)) == 0) continue;
    const auto measured = measure(rule, signs, said, counts.of[i]);
    if (measured > rule.max || (rule.kind == Kind::caps && measured >= rule.max)) fired.push_back({&rule, measured, false});
  }
  return fired;
}

std::unique_ptr<Screening::Asked> Screening::look(const Said& said) {
  if (said.application->screening_version == 0 || !has_feature(said)) return nullptr;
  auto set = set_of(*said.application);
  auto fired = find_fired(set->rules, said, Counting::adds);
  const bool asks = set->classifier && asks_for(set->classifier->settings, said, !fired.empty() || said.is_marked);
  if (fired.empty() && !asks) return nullptr;
  return std::make_unique<Asked>(Asked{said, std::move(set), std::move(fired), asks, {}, {}, {}});
}

void Screening::ask(std::unique_ptr<Asked> question, const std::string& data, Then then) {
  const std::shared_ptr<Asked> asked(std::move(question));
  if (asked->asks_classifier) asked->data = data;
  asked->then = std::move(then);
  if (std::ranges::any_of(asked->fired, [](const Fired& fired) { return fired.rule->needs_author(); })) return ask_author(asked);
  conclude_rules(asked);
}

/// On a database worker, which waits for nobody else.
void Screening::ask_author(const std::shared_ptr<Asked>& asked) {
  const bool taken = run_([this, asked](storage::Connection& connection) {
    const auto& said = asked->said;
    try {
      connection.transact(said.application->id, storage::Mode::write, [&](storage::Transaction& tx) {
        const auto now = clock_.now();
        const auto author = read_author(tx, said.user_id, said.channel_type, said.channel_id);
        look_at_author(asked->fired, author, now);
        const auto length = timeout_of(asked->fired);
        if (length && author.may_be_there) time_out_(tx, said, *length, verdict_of(asked->fired).reason, now);
      });
    } catch (const Error& error) {             // what was found holds all the same
      log::warn("screening.author_unknown", {{"app_id", said.application->id.wire()}, {"detail", error.what()}});
      look_at_author(asked->fired, std::nullopt, clock_.now());
    }
    conclude_rules(asked);
  });
  if (taken) return;
  look_at_author(asked->fired, std::nullopt, clock_.now());
  conclude_rules(asked);
}

void Screening::conclude_rules(const std::shared_ptr<Asked>& asked) {
  if (!asked->fired.empty()) {
    asked->verdict = verdict_of(asked->fired);
    log_verdict("rule", asked->said, asked->verdict);
  }
  const bool is_decided = asked->verdict.outcome == Outcome::block;
  const bool is_marked = !asked->verdict.findings.empty() || asked->said.is_marked;
  if (is_decided || !asked->asks_classifier || !asks_for(asked->set->classifier->settings, asked->said, is_marked)) return asked->then(asked->verdict);
  questions_.ask(asked->set->classifier, asked->said, asked->data, [asked](const Questions::Judged& judged) {
    log_verdict("classifier", asked->said, judged.verdict);
    asked->then(merge(std::move(asked->verdict), judged.verdict));
  });
}

Verdict Screening::judge_change(storage::Transaction& tx, const Said& changed) {
  if (changed.application->screening_version == 0 || !has_feature(changed)) return {};
  const auto set = set_of(*changed.application);
  auto fired = find_fired(set->rules, changed, Counting::none);
  if (fired.empty()) return {};
  look_at_author(fired, read_author(tx, changed.user_id, changed.channel_type, changed.channel_id), clock_.now());
  auto verdict = verdict_of(fired);
  log_verdict("rule", changed, verdict);
  return verdict;
}

std::vector<Fired> Screening::try_rules(const Rules& rules, const Said& said) { return find_fired(rules, said, Counting::looks); }

}  // namespace chat::screening
