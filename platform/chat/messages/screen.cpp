#include "platform/chat/messages/screen.h"

#include "platform/base/error.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/flags.h"
#include "platform/chat/messages/send_form.h"

namespace chat::messages {
namespace {

Error refused(const Verdict& verdict, const std::string& pointer) {
  return Error(Code::forbidden, verdict.reason.empty() ? "This can't be said here." : verdict.reason, {{pointer, "Refused for what it says."}});
}

}  // namespace

std::string join_findings(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return one.empty() ? other : one;
  return one.substr(0, one.size() - 1) + "," + other.substr(1);
}

void obey(const Verdict& verdict, Send& send) {
  using Kind = Verdict::Kind;
  if (verdict.kind == Kind::block) throw refused(verdict, verdict.pointer.empty() ? "#/text" : verdict.pointer);
  if (verdict.text) send.message.text = *verdict.text;
  if (verdict.attachments) send.message.attachments = verdict.attachments;
  if (verdict.extras) send.message.extras = verdict.extras;
  if (verdict.text) keep_command(send.message);
  send.findings = join_findings(send.findings, verdict.findings);
  if (verdict.kind == Kind::shadow) send.shadowed = true;
  if (verdict.kind == Kind::hold) add_extra(send.message, "pending", "true");   // for the lane's verdict, which holds it
}

void check_change(const Verdict& verdict, const std::string& at, const std::string& field) {
  if (verdict.kind == Verdict::Kind::pass) return;
  throw refused(verdict, at + (verdict.pointer.empty() ? "/" + field : verdict.pointer.substr(1)));
}

void flag_findings(storage::Transaction& tx, const channels::Channel& channel, MessageId id, const std::string& findings, Timestamp now) {
  if (findings.empty()) return;
  Findings found(now);
  found.add(channel.type, channel.channel_id, id, findings);
  if (!found.empty()) tx.execute(Findings::statement(), found.take(tx.app()));
}

}  // namespace chat::messages
