#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdlib>

#include "platform/base/crypto.h"
#include "platform/base/log.h"

// CHAT_TEST_LOG=debug shows what the code under test logs.
int main(int argc, char** argv) {
  chat::crypto::start();
  const char* level = std::getenv("CHAT_TEST_LOG");
  chat::log::set_level(chat::log::parse_level(level != nullptr ? level : "off"));
  return Catch::Session().run(argc, argv);
}
