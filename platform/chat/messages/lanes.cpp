#include "platform/chat/messages/lanes.h"

#include "platform/chat/messages/lane.h"

namespace chat::messages {

std::size_t Send::bytes() const {
  auto size = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  return sizeof(Send) + message.text.size() + size(message.attachments) + size(message.custom) + size(message.mentions) + size(message.extras) + findings.size();
}

Lanes::Lanes(Options options, bus::Bus& bus, const Clock& clock) {
  for (int i = 0; i < options.lanes; ++i) lanes_.push_back(std::make_unique<Lane>(options, options.first_shard + i, bus, clock));
}

Lanes::~Lanes() = default;

bool Lanes::submit(std::unique_ptr<Send> send) {
  submitted_.fetch_add(1, std::memory_order_relaxed);
  const auto hash = std::hash<AppId>{}(send->application->id) ^ (std::hash<std::string>{}(send->message.cid) * 31);
  return lanes_[hash % lanes_.size()]->submit(std::move(send));
}

std::size_t Lanes::queued() const {
  std::size_t sum = 0;
  for (const auto& lane : lanes_) sum += lane->queued();
  return sum;
}

void Lanes::stop() {
  for (auto& lane : lanes_) lane->stop();
}

}  // namespace chat::messages
