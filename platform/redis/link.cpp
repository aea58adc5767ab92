#include "platform/redis/link.h"

#include <future>

#include "platform/base/crypto.h"

namespace chat::redis {

Link::Link(Options options, const Clock& clock)
    : clock_(clock), node_(crypto::hex(crypto::random_bytes(6))), prefix_(options.prefix), channel_(options.prefix + "bus") {
  const auto tell = [this](std::function<void()> Listener::*what) {
    return [this, what] {
      for (const auto& listener : listeners_)
        if (listener.*what) (listener.*what)();
    };
  };
  commands_ = std::make_unique<Connection>(options, Connection::Role{"commands", "", tell(&Listener::commands_up), {}, {}});
  subscriber_ = std::make_unique<Connection>(
      options, Connection::Role{"subscriber", channel_, tell(&Listener::subscriber_up), tell(&Listener::subscriber_down),
                                [this](std::string_view message) {
                                  for (const auto& listener : listeners_)
                                    if (listener.message) listener.message(message);
                                }});
}

Link::~Link() { stop(); }

void Link::start() {
  commands_->start();
  subscriber_->start();
}

void Link::stop() {
  subscriber_->stop();
  commands_->stop();
}

std::optional<std::vector<Reply>> Link::ask(std::string commands, std::size_t count, std::chrono::milliseconds deadline) {
  auto answer = std::make_shared<std::promise<std::vector<Reply>>>();
  auto future = answer->get_future();
  if (!commands_->send(std::move(commands), count, [answer](std::vector<Reply> replies) { answer->set_value(std::move(replies)); }))
    return std::nullopt;
  if (future.wait_for(deadline) != std::future_status::ready) return std::nullopt;
  auto replies = future.get();
  return replies.size() == count ? std::optional(std::move(replies)) : std::nullopt;
}

bool Link::publish(const std::string& packet, Connection::OnReplies on_replies) {
  return commands_->send(command({"PUBLISH", channel_, packet}), 1, std::move(on_replies));
}

}  // namespace chat::redis
