#include "platform/chat/messages/command_text.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/messages/messages_events.h"

namespace chat::messages {

std::optional<CommandText> parse_command(const std::string& text) {
  constexpr std::size_t kMaxName = 32;
  if (text.size() < 2 || text[0] != '/') return std::nullopt;
  CommandText command;
  command.is_escaped = text[1] == '/';
  const std::size_t begin = command.is_escaped ? 2 : 1;
  const auto end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
  command.name = text.substr(begin, std::min(end - begin, kMaxName + 1));
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (command.name.empty() || command.name.size() > kMaxName || !std::all_of(command.name.begin(), command.name.end(), allowed))
    return std::nullopt;
  command.args = text::trim(std::string_view(text).substr(end));
  return command;
}

std::string command_json(const CommandText& command) {
  json::Writer out;
  out.object().field("name", command.name).field("args", command.args).end();
  return out.take();
}

void keep_command(Message& message) {
  if (!message.extras) return;
  const auto document = json::Document::parse(*message.extras);
  const auto command = document.root().find("command");
  if (!command) return;
  const auto said = parse_command(message.text);
  const bool stands = said && !said->is_escaped && said->name == command->find("name")->text();
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members()) {
    if (name != "command") out.key(name).raw(value.raw());
    else if (stands) out.key(name).raw(command_json(*said));
  }
  message.extras = out.end().take();
}

std::string invoked_data(const Message& message) {
  if (message.erased || message.deleted_at || !message.extras || !message.user_id) return {};
  const auto extras = json::Document::parse(*message.extras);
  const auto command = extras.root().find("command");
  if (!command) return {};
  json::Writer out;
  out.object().key("command").raw(command->raw()).field("user_id", *message.user_id).key("message").raw(message_json(message)).end();
  return out.take();
}

EventId invoked_id(MessageId message) {
  constexpr std::ptrdiff_t kOwn = 6;
  EventId id{message.uuid};
  const auto hash = crypto::sha256(message.text());
  std::copy_n(hash.begin(), kOwn, id.uuid.bytes.end() - kOwn);
  return id;
}

std::shared_ptr<const bus::Event> invoked_event(AppId app, const Message& message, Timestamp now) {
  auto data = invoked_data(message);
  if (data.empty()) return nullptr;
  auto event = std::make_shared<bus::Event>();
  event->id = invoked_id(message.id);
  event->app = app;
  event->type = kCommandInvoked;
  event->reach = bus::Reach::application;
  event->cid = message.cid;
  event->user_id = *message.user_id;
  event->created_at = now;
  event->data = std::move(data);
  return event;
}

}  // namespace chat::messages
