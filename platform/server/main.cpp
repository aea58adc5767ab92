#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "platform/base/crypto.h"
#include "platform/base/log.h"
#include "platform/server/node.h"
#include "platform/server/node_metrics.h"
#include "platform/server/settings.h"

namespace {

namespace config = chat::config;
namespace log = chat::log;
namespace server = chat::server;

struct Arguments {
  std::optional<std::string> file;
  std::map<std::string, std::string> flags;
};

/// Errors:  CLI::ParseError; std::invalid_argument for a --set without '='
Arguments parse(CLI::App& app, int argc, char** argv) {
  Arguments arguments;
  std::string file;
  std::vector<std::string> sets;
  app.add_option("-c,--config", file, "YAML file; every key is in ops/config/chat.default.yaml");
  app.add_option("--set", sets, "key=value, stronger than file and environment; may be repeated")->take_all();
  app.set_version_flag("--version", "chatd " CHAT_VERSION);
  app.parse(argc, argv);
  if (!file.empty()) arguments.file = file;
  for (const auto& set : sets) {
    auto equals = set.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("--set wants key=value, not " + set);
    arguments.flags[set.substr(0, equals)] = set.substr(equals + 1);
  }
  return arguments;
}

config::Settings load(const Arguments& arguments) {
  auto settings = config::load(server::settings_schema(), arguments.file, config::environment(), arguments.flags);
  auto mistakes = server::check_together(settings);
  if (!mistakes.empty()) throw config::Invalid(std::move(mistakes));
  return settings;
}

void reload(server::Node& node, const Arguments& arguments) {
  try {
    node.reload(load(arguments));
  } catch (const std::exception& error) {
    server::note_reload(false, chat::system_clock().now());
    log::error("config.reload_failed", {{"detail", error.what()}});
  }
}

/// Signals are taken here, on the main thread alone; every other thread is born with them blocked.
void serve(server::Node& node, const Arguments& arguments, const sigset_t& signals) {
  for (int signal = 0;;) {
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return;
    reload(node, arguments);
  }
}

int run(const Arguments& arguments) {
  const auto settings = load(arguments);
  log::set_level(log::parse_level(settings.text("log.level")));
  for (const auto& warning : settings.warnings()) log::warn("config.warning", {{"detail", warning}});
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  server::Node node(settings);
  node.start();
  serve(node, arguments, signals);
  node.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  chat::crypto::start();
  CLI::App app{"chatd: chat as a service. Configuration: --config FILE, environment CHAT_…, --set key=value."};
  try {
    return run(parse(app, argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : server::kExitConfiguration;
  } catch (const config::Invalid& error) {
    std::cerr << "chatd: the configuration has mistakes; nothing was started.\n" << error.what() << "\n";
    return server::kExitConfiguration;
  } catch (const std::invalid_argument& error) {
    std::cerr << "chatd: " << error.what() << "\n";
    return server::kExitConfiguration;
  } catch (const server::StartFailure& error) {
    std::cerr << "chatd: " << error.what() << "\n";
    return error.exit_code;
  } catch (const std::exception& error) {
    std::cerr << "chatd: " << error.what() << "\n";
    return 1;
  }
}
