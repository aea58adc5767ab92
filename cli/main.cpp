#include <unistd.h>

#include <iostream>

#include "cli/files/terminal.h"
#include "cli/remote/api_client.h"
#include "cli/run.h"
#include "platform/base/config.h"
#include "platform/base/crypto.h"
#include "platform/base/log.h"

/// chatctl: how operators use chatd.
int main(int count, char** words) {
  chat::crypto::start();
  chat::cli::leave_on_interrupt();
  chat::log::set_level(chat::log::Level::off);  // a person reads stderr here
  chat::cli::World world{.in = std::cin,
                         .out = std::cout,
                         .err = std::cerr,
                         .clock = chat::system_clock(),
                         .in_is_terminal = isatty(STDIN_FILENO) != 0,
                         .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                         .err_is_terminal = isatty(STDERR_FILENO) != 0,
                         .environment = chat::config::environment(),
                         .connect_api = chat::cli::make_api_client,
                         .open_socket = chat::cli::make_socket,
                         .ask_hidden = chat::cli::ask_hidden,
                         .wait = chat::cli::wait_or_exit,
                         .terminal_size = chat::cli::terminal_size};
  return chat::cli::run({words + 1, words + count}, world);
}
