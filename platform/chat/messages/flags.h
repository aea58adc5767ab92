#pragma once
#include <string>

#include "platform/base/text.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/statement.h"

/// What rules found in messages, written as flags and into the moderators' queue in the transaction of the message. Private to the folder.
///
/// Shape:   findings = [ {"source","rule"?,"severity"?,"reason"?, …}, … ]: source says what found it (list, rule, classifier, hook; 1-32 of
///          a-z _), rule which one (up to 255 bytes), severity 1 to 3 (2 when left out); whatever else stands in it is kept as it is.
///          At most kMaxFindings of a message are kept.
namespace chat::messages {

class Findings {
 public:
  static constexpr std::size_t kMaxFindings = 20;

  explicit Findings(Timestamp now) : now_(now) {}
  /// INVARIANT: `findings` is such an array; it is made by the server's own rules, never by a caller.
  void add(const std::string& channel_type, const std::string& channel_id, MessageId message, const std::string& findings);
  [[nodiscard]] bool empty() const { return empty_; }
  static const storage::Statement& statement();
  storage::Params take(AppId app);

 private:
  Timestamp now_;
  bool empty_ = true;
  text::ArrayLiteral types_, channels_, messages_, items_, flags_, sources_, rules_, reasons_, severities_, details_;
};

}  // namespace chat::messages
