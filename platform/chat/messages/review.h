#pragma once
#include <functional>
#include <memory>

#include "platform/chat/messages/screen.h"
#include "platform/storage/transaction.h"

/// What judges a message only after somebody was asked: who its author is, a classifier. It lives above this folder; `server` hands it in.
namespace chat::messages {

class Review {
 public:
  virtual ~Review() = default;
  /// What is to be asked about one message.
  struct Question {
    virtual ~Question() = default;
  };
  using Then = std::function<void(const Verdict&)>;

  /// Null: nothing. After Screen, whose findings stand in `send`.
  /// Thread:  any; never waits.
  virtual std::unique_ptr<Question> look(const Send& send) = 0;
  /// `send` lives until `then` is called: once, on any thread. Nobody holds a connection, a lane or an engine's thread meanwhile.
  virtual void ask(std::unique_ptr<Question> question, const Send& send, Then then) = 0;
  /// Of a change, in the transaction that makes it: what can be said without asking anybody else.
  virtual Verdict judge_change(storage::Transaction& tx, const Send& changed) = 0;
};

}  // namespace chat::messages
