#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_CONSOLE_WIDTH 200
#include <catch2/catch.hpp>

#include "platform/base/crypto.h"
#include "platform/base/log.h"

int main(int argc, char** argv) {
  chat::crypto::start();
  chat::log::set_level(chat::log::parse_level("off"));
  return Catch::Session().run(argc, argv);
}
