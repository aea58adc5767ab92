#include "cli/files/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace chat::cli {

std::string ask_hidden(const std::string& question) {
  termios before{};
  if (tcgetattr(STDIN_FILENO, &before) != 0) return "";
  termios hidden = before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::cerr << question << std::flush;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << std::endl;
  return line;
}

}  // namespace chat::cli
