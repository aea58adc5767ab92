#include "cli/files/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <thread>

#include "cli/exit_code.h"

namespace chat::cli {
namespace {

// What the handler puts back; written before the terminal is changed.
termios g_before{};
volatile std::sig_atomic_t g_is_changed = 0;

/// Only what signal-safety(7) allows.
void leave(int) {
  if (g_is_changed != 0) tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
  if (isatty(STDERR_FILENO) != 0) (void)!write(STDERR_FILENO, "\n", 1);
  _exit(static_cast<int>(Exit::interrupted));
}

}  // namespace

void leave_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = leave;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

std::string ask_hidden(const std::string& question) {
  if (tcgetattr(STDIN_FILENO, &g_before) != 0) return "";
  termios hidden = g_before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  g_is_changed = 1;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::cerr << question << std::flush;  // what is typed as soon as it is seen does not show
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_before);
  g_is_changed = 0;
  std::cerr << std::endl;
  return line;
}

bool wait_or_exit(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
  return true;
}

TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace chat::cli
