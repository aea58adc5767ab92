#include "platform/redis/reply.h"

#include <hiredis/hiredis.h>

#include <new>

namespace chat::redis {
namespace {

Reply reply_of(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::text;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::error;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::integer;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::list;
      reply.list.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) reply.list.push_back(reply_of(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace

std::string command(std::span<const std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  starts.reserve(words.size());
  sizes.reserve(words.size());
  for (const auto word : words) {
    starts.push_back(word.data() == nullptr ? "" : word.data());
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const int size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), starts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  std::string bytes(formatted, static_cast<std::size_t>(size));
  redisFreeCommand(formatted);
  return bytes;
}

struct Parser::Reader {
  redisReader* handle = redisReaderCreate();
  Reader() {
    if (handle == nullptr) throw std::bad_alloc();
  }
  ~Reader() { redisReaderFree(handle); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Parser::Parser() : reader_(std::make_unique<Reader>()) {}
Parser::~Parser() = default;

bool Parser::feed(std::string_view bytes, const std::function<void(Reply)>& tell) {
  if (redisReaderFeed(reader_->handle, bytes.data(), bytes.size()) != REDIS_OK) return false;
  while (true) {
    void* found = nullptr;
    if (redisReaderGetReply(reader_->handle, &found) != REDIS_OK) return false;
    if (found == nullptr) return true;
    const std::unique_ptr<void, decltype(&freeReplyObject)> owned(found, &freeReplyObject);
    tell(reply_of(*static_cast<const redisReply*>(found)));
  }
}

}  // namespace chat::redis
