#include "platform/server/screening.h"

#include "platform/base/json.h"
#include "platform/chat/channels/bans.h"
#include "platform/chat/messages/asked.h"

namespace chat::server {
namespace {

using messages::Send;
using messages::Verdict;

constexpr const char* kScreeningTold = "screening.told";
constexpr const char* kTimedOut = "You can't write here for a while.";

/// What its poll asks, with what it says.
std::string words_of(const Send& send) {
  std::string words = send.message.text;
  const auto document = json::Document::parse(*send.message.extras);
  const auto poll = document.root().find("poll");
  if (!poll) return words;
  words.append(" ").append(poll->find("question")->text());
  for (const auto& option : poll->find("options")->items()) words.append(" ").append(option.find("text")->text());
  return words;
}

screening::Said said_of(const Send& send, std::string_view text) {
  screening::Said said{send.application, send.account, send.channel_type, send.channel_id, *send.message.user_id, send.by_server, text, 0, 0, 0, !send.findings.empty()};
  if (send.message.attachments) {
    const auto document = json::Document::parse(*send.message.attachments);
    const auto attachments = document.root().items();
    said.attachments = static_cast<std::int64_t>(attachments.size());
    said.attached_links = screening::links_in(attachments);
  }
  said.mentions = static_cast<std::int64_t>(send.mentioned.size() + send.mentioned_roles.size()) + send.mentions_channel + send.mentions_here;
  if (send.nonce_key) said.nonce = std::hash<std::string>{}(send.message.cid + *send.nonce_key + send.fingerprint) | 1;
  return said;
}

/// What a classifier is told.
std::string data_of(const Send& send) {
  json::Writer out;
  out.object().key("message").object();
  messages::write_said(out, send.message);
  out.end();
  if (!send.findings.empty()) out.key("findings").raw(send.findings);
  return out.end().take();
}

Verdict verdict_of(const screening::Verdict& from) {
  Verdict verdict;
  switch (from.outcome) {
    case screening::Outcome::pass: verdict.kind = Verdict::Kind::pass; break;
    case screening::Outcome::hold: verdict.kind = Verdict::Kind::hold; break;
    case screening::Outcome::shadow: verdict.kind = Verdict::Kind::shadow; break;
    case screening::Outcome::block: verdict.kind = Verdict::Kind::block; break;
  }
  verdict.findings = from.findings;
  verdict.reason = from.reason;
  verdict.pointer = from.pointer;
  return verdict;
}

struct Asked final : messages::Review::Question {
  std::string words;                           // of a message with a poll
  std::unique_ptr<screening::Screening::Asked> asked;
};

}  // namespace

std::unique_ptr<messages::Review::Question> MessageReview::look(const Send& send) {
  if (send.application->screening_version == 0) return nullptr;
  std::string words = send.poll ? words_of(send) : std::string();
  auto asked = screening_.look(said_of(send, send.poll ? words : send.message.text));
  if (!asked) return nullptr;
  auto question = std::make_unique<Asked>();
  question->words = std::move(words);
  if (send.poll) asked->said.text = question->words;
  question->asked = std::move(asked);
  return question;
}

void MessageReview::ask(std::unique_ptr<Question> question, const Send& send, Then then) {
  const std::shared_ptr<Asked> held(static_cast<Asked*>(question.release()));
  screening_.ask(std::move(held->asked), data_of(send), [held, then = std::move(then)](const screening::Verdict& verdict) { then(verdict_of(verdict)); });
}

Verdict MessageReview::judge_change(storage::Transaction& tx, const Send& changed) {
  if (changed.application->screening_version == 0) return {};
  return verdict_of(screening_.judge_change(tx, said_of(changed, changed.message.text)));
}

screening::Screening::TimeOut time_out_by_ban(bus::Bus& bus) {
  return [&bus](storage::Transaction& tx, const screening::Said& said, std::chrono::seconds length, const std::string& reason, Timestamp now) {
    const std::string type(said.channel_type), id(said.channel_id), user(said.user_id);
    channels::lock_head(tx, type, id);
    const auto opened = channels::open_channel_as(tx, type, id, "");
    if (screening::is_banned(tx, user, opened.channel.id)) return;
    channels::ban_from_channel(tx, bus, opened, user, {false, reason.empty() ? kTimedOut : reason, now + length}, now);
  };
}

void share_screening(jobs::Schedule& schedule, bus::Bus& bus, screening::Screening& screening, const tenants::Directory& directory) {
  screening.share();
  bus.subscribe([](bus::Bus::Events) {}, [&screening, &directory](const bus::Bus::Control& control) {
    if (control.word != kScreeningTold) return;
    if (const auto application = directory.peek(control.app)) screening.hear(*application, control.detail);   // null: no message of it came here
  });
  schedule.add("share_screening", std::chrono::seconds(1), [&bus, &screening](storage::Connection&) {
    for (auto& [app, detail] : screening.take_words()) bus.tell_others({kScreeningTold, app, std::move(detail)});
  });
}

void add_screening_jobs(jobs::Schedule& schedule, screening::Screening& screening) {
  schedule.add(kCountModerationCalls, std::chrono::seconds(1), [&screening](storage::Connection& connection) { screening.questions().count(connection); });
}

}  // namespace chat::server
