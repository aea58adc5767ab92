#include <algorithm>
#include <istream>
#include <map>
#include <ostream>

#include "cli/moderation.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::size_t kMaxShown = 2'000;       // bytes of a text

struct Tally {
  int decided = 0, skipped = 0;
};

std::string waiting(Session& session, const Review& wanted) {
  json::Writer filter;
  filter.object().key("status").object().key("$in").array().text("pending").text("escalated").end().end();
  if (!wanted.cid.empty()) filter.field("cid", wanted.cid);
  filter.end();
  std::vector<std::pair<std::string, std::string>> body{{"filter", filter.take()}};
  if (!wanted.as.empty()) body.emplace_back("user_id", as_json(wanted.as));
  return query_all(session.public_api(), "/v1/moderation/items/query", "items", body, wanted.limit);
}

std::string said(const json::Value& item) {
  auto text = text_at(item, "evidence.text");
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + " …";
  if (!text.empty()) return text;
  return find_at(item, "evidence") ? "(no text)" : "(the evidence is gone)";
}

std::string why(Session& session, const json::Value& item, const std::string& as) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!as.empty()) query.emplace_back("user_id", as);
  const auto answer = get(session.public_api(), "/v1/moderation/items/" + text::percent_encode(text_at(item, "item_id")), query);
  const auto document = json::Document::parse(answer);
  std::map<std::string, int> reasons;
  for (const auto& flag : document.root().find("flags")->items()) {
    const auto reason = text_at(flag, "reason"), rule = text_at(flag, "rule");
    ++reasons[text_at(flag, "source") + (reason.empty() ? "" : " " + reason) + (rule.empty() ? "" : " " + rule)];
  }
  std::string out;
  for (const auto& [reason, times] : reasons) out += (out.empty() ? "" : ", ") + reason + (times > 1 ? " x" + std::to_string(times) : "");
  return out;
}

void show(Session& session, const json::Value& item, const Review& wanted, std::size_t number, std::size_t of) {
  const auto cid = text_at(item, "cid"), user = text_at(item, "user_id");
  session.world().err << "\n" << number << "/" << of << "  " << printable(text_at(item, "subject_type"))
                      << (cid.empty() ? "" : " in " + printable(cid)) << (user.empty() ? "" : " by " + printable(user)) << ", priority "
                      << text_at(item, "priority") << "\nflagged: " << printable(why(session, item, wanted.as)) << "\n  " << printable(said(item)) << "\n";
}

/// The key, in small letters; q at the end of the input.
char ask(Session& session, bool is_message) {
  const std::string keys = is_message ? "adbesq" : "abesq";
  while (true) {
    session.world().err << "[a]pprove " << (is_message ? "[d]elete " : "") << "[b]an [e]scalate [s]kip [q]uit: " << std::flush;
    std::string answer;
    if (!std::getline(session.world().in, answer)) return 'q';
    const auto word = text::lower_ascii(text::trim(answer));
    if (word.size() == 1 && keys.find(word[0]) != std::string::npos) return word[0];
    session.world().err << "one of " << keys << ", and Enter\n";
  }
}

void decide(Session& session, const json::Value& item, const std::string& action, const Review& wanted, Tally& tally) {
  try {
    decide_one(session, text_at(item, "item_id"), {.action = action, .as = wanted.as});
    session.note(action + " decided");
    ++tally.decided;
  } catch (const Failure& failure) {
    session.warn(std::string("not decided: ") + failure.what());
    ++tally.skipped;
  }
}

}  // namespace

void review(Session& session, const Review& wanted) {
  const auto useless = [](const std::string& why) {
    return Failure(Exit::usage, why).with_next("chatctl moderation list, then chatctl moderation decide ACTION ITEM --yes");
  };
  if (session.globals().no_input) throw useless("a review asks about each item, and --no-input says to ask nothing");
  const auto document = json::Document::parse(waiting(session, wanted));
  const auto items = document.root().items();
  if (items.empty()) return session.note("nothing waits for a decision");
  if (!session.world().in_is_terminal) throw useless("a review asks about each item, and there is no terminal to ask at");
  static const std::map<char, std::string> kActions{{'a', "approve"}, {'d', "delete"}, {'b', "ban"}, {'e', "escalate"}};
  Tally tally;
  for (std::size_t i = 0; i < items.size(); ++i) {
    show(session, items[i], wanted, i + 1, items.size());
    const char key = ask(session, text_at(items[i], "subject_type") == "message");
    if (key == 'q') break;
    if (key == 's') ++tally.skipped;
    else decide(session, items[i], kActions.at(key), wanted, tally);
  }
  session.note(std::to_string(tally.decided) + " decided, " + std::to_string(tally.skipped) + " skipped");
}

}  // namespace chat::cli
