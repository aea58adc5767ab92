#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/files/context_file.h"
#include "cli/line/command.h"
#include "cli/output/chart.h"
#include "cli/output/output.h"
#include "cli/world.h"

namespace chat::cli {

/// What one run of chatctl works with: where to, as whom, and how to speak. Flags beat variables, variables
/// the context. Thread:  one.
class Session {
 public:
  Session(World& world, const Globals& globals) : world_(world), globals_(globals) {}

  // Where to.
  /// Errors:  Failure: the file is broken; not_found: no such context.
  const Context& context();
  [[nodiscard]] std::string context_name();  // empty: none is in use
  std::string server();                      // Errors: Failure usage: none is named anywhere
  std::string public_url();                  // of the public door; Errors: Failure usage: none is named anywhere
  std::string token();                       // Errors: Failure denied: none is named anywhere
  Api& api();
  std::unique_ptr<Api> api_of(const std::string& server);  // another operator API, with the same token
  /// The public door, with a server's token that is minted for the application meant when the first request goes out.
  /// Errors:  Failure: no application or public door is named; from the first request, the operator API does not give a token
  Api& public_api();

  /// The application meant: this argument, else --app, CHATCTL_APP, the context's. Errors: Failure usage.
  std::string app(const std::string& argument = "");
  /// "/operator/v1/applications/{app}" + rest, the name encoded.
  std::string app_path(const std::string& app, const std::string& rest = "");

  // How to speak.
  [[nodiscard]] bool is_dry() const { return globals_.dry_run; }
  /// With --dry-run: says so and ends the command well. For changes that go to no server.
  void stop_if_dry(const std::string& would);
  [[nodiscard]] Format format() const { return parse_format(globals_.output); }
  void print(const std::string& json, const Sheet& sheet);  // a JSON document, to stdout
  /// A list; `nothing` tells people that it is empty.
  void print_list(const std::string& json, const Sheet& sheet, std::string_view nothing);
  void print_text(std::string_view text);                   // ready text, to stdout
  void note(std::string_view line);                         // to stderr: what was done
  void warn(std::string_view line);
  /// For changes: people get the sentence on stderr, the other formats the changed thing on stdout.
  void done(const std::string& json, const Sheet& sheet, std::string_view sentence);
  /// Before a secret is made that can be shown only once. Errors: Failure usage: `-o name` without a file
  /// would lose it.
  void check_secret_kept(const std::string& file) const;
  /// Prints an answer that holds a secret; with `file`, the secret goes there (0600, never over an existing
  /// one) and its place in the answer says so.
  void show_secret(const std::string& json, const std::string& path, const Sheet& sheet,
                   const std::string& file);

  /// Before a dangerous act. --yes answers yes; without a terminal or with --no-input it is a usage failure.
  void confirm(const std::string& question);
  /// Before a severe act: the name must be typed, or given with --confirm. --yes is not enough.
  void confirm_name(const std::string& what, const std::string& name);
  /// A secret from standard input: asked for without echo at a terminal, else its only line.
  std::string read_secret(const std::string& question);

  World& world() { return world_; }
  [[nodiscard]] const Globals& globals() const { return globals_; }
  [[nodiscard]] Style out_style() const;
  [[nodiscard]] Style err_style() const;
  [[nodiscard]] ChartLook chart_look() const;
  [[nodiscard]] TerminalSize terminal_size() const;
  [[nodiscard]] bool draws_on_err() const;  // a terminal that redraws lines
  /// What would be printed and noted from now on goes there instead; nullptr: to the streams again.
  void capture(std::string* into) { captured_ = into; }

 private:
  [[nodiscard]] std::string choose(const std::string& flag, const char* variable,
                                   const std::string& held) const;
  [[nodiscard]] ApiOptions options_for(std::string server);
  std::unique_ptr<Api> shielded(std::unique_ptr<Api> api);
  [[nodiscard]] bool may_ask() const { return world_.in_is_terminal && !globals_.no_input; }

  World& world_;
  const Globals& globals_;
  bool loaded_ = false;
  std::string context_name_;
  Context context_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Api> public_api_;
  std::string* captured_ = nullptr;
};

}  // namespace chat::cli
