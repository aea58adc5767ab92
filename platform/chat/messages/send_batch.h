#pragma once
#include <memory>
#include <vector>

#include "platform/chat/messages/lanes.h"
#include "platform/storage/pipeline.h"

/// One transaction of one application's sends. Private to the folder.
namespace chat::messages {

enum class Verdict { sent, stored, stale_id, held, refused };
struct Outcome {
  Verdict verdict = Verdict::refused;
  std::optional<Error> error;                  // of refused
  ChannelId channel;
  std::string epoch;
  MessageId stored_id;                         // of stored
  MessageId last_message_id;                   // of stale_id: new ids must lie above
  bool draft_cleared = false;                  // of sent: there was one
};

/// Gives every send an id and a time, runs the transaction, and fills in the numbers of those that were accepted.
/// Errors:  storage::Pipeline's; then nothing was accepted (or, when the connection was lost, nobody knows)
std::vector<Outcome> run_batch(storage::Pipeline& pipeline, const std::vector<Send*>& batch, int shard, Timestamp now);

/// Fills in the messages that earlier sends stored under the same nonces.
void load_stored(storage::Pipeline& pipeline, AppId app, const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes);

}  // namespace chat::messages
