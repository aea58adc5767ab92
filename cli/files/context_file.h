#pragma once
#include <map>
#include <string>

#include "cli/world.h"

namespace chat::cli {

/// One installation of chatd, as the operator reaches it. At most one of the three token fields is set.
struct Context {
  std::string server;      // operator API: http://127.0.0.1:8081
  std::string public_url;  // public door, for tail: http://127.0.0.1:8080; key `public`
  std::string token;
  std::string token_file;
  std::string token_command;  // run with sh -c; its first line is the token
  std::string app;            // the application meant when --app is not given
  std::string ca_file;        // PEM of the authority that signed the server's certificate
};

/// The file of contexts: $XDG_CONFIG_HOME/chatctl/config.yaml, else ~/.config/chatctl/config.yaml; 0600.
///
///   current: local
///   contexts:
///     local: {server: "http://127.0.0.1:8081", public: "http://127.0.0.1:8080", token_file:
///     /etc/chatd/token}
///
/// Writing it anew drops comments.
struct ContextFile {
  std::string path;
  bool exists = false;
  std::string current;  // empty: none chosen
  std::map<std::string, Context> contexts;
};

std::string context_file_path(const World& world);
/// A missing file is an empty one. Errors: Failure with file:line:column; unknown keys are refused with a
/// suggestion.
ContextFile load_contexts(World& world);
void save_contexts(const ContextFile& file);

}  // namespace chat::cli
