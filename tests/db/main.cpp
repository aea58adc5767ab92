#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdlib>

#include "platform/base/crypto.h"
#include "platform/base/log.h"

// libpqxx 6.4.5 forgets the result in hand when it finds the connection lost: one per lost session (about 2 KB).
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:pqxx::connection_base::exec\nleak:libpqxx-6.4.so\n"; }

// CHAT_TEST_LOG=debug shows what the code under test logs.
int main(int argc, char** argv) {
  chat::crypto::start();
  const char* level = std::getenv("CHAT_TEST_LOG");
  chat::log::set_level(chat::log::parse_level(level != nullptr ? level : "off"));
  return Catch::Session().run(argc, argv);
}
