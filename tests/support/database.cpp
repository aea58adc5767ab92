#include "tests/support/database.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace chat::test {
namespace {

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set: run the tests with ./ops/test, or see tests/support/README.md");
  return value;
}

/// libpq takes the last of two equal keywords.
storage::DatabaseOptions as(const std::string& base, const std::string& role, const std::string& database) {
  storage::DatabaseOptions options;
  options.dsn = base + " user=" + role + " dbname=" + database;
  return options;
}

void command(const std::string& line) {
  if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + line);
}

}  // namespace

storage::DatabaseOptions server_database() { return as(required("CHAT_TEST_PG"), "chat_server", required("CHAT_TEST_DB")); }
storage::DatabaseOptions owner_database() { return as(required("CHAT_TEST_PG"), "chat_owner", required("CHAT_TEST_DB")); }
storage::DatabaseOptions superuser_database() {
  return as(required("CHAT_TEST_PG"), "postgres", required("CHAT_TEST_DB"));
}

struct Probe::Handle {
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection{nullptr, PQfinish};

  std::unique_ptr<PGresult, decltype(&PQclear)> exec(const std::string& sql) {
    std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), PQclear);
    auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return result;
  }
};

Probe::Probe(const std::string& dsn) : handle_(std::make_unique<Handle>()) {
  handle_->connection.reset(PQconnectdb(dsn.c_str()));
  if (PQstatus(handle_->connection.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(handle_->connection.get()));
  PQsetNoticeProcessor(handle_->connection.get(), [](void*, const char*) {}, nullptr);
}

Probe::~Probe() = default;

void Probe::run(const std::string& sql) { handle_->exec(sql); }

std::vector<std::vector<std::string>> Probe::rows(const std::string& sql) {
  auto result = handle_->exec(sql);
  std::vector<std::vector<std::string>> out;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    out.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column)
      out.back().emplace_back(PQgetvalue(result.get(), row, column));
  }
  return out;
}

std::string Probe::value(const std::string& sql) {
  auto all = rows(sql);
  return all.empty() ? "" : all.at(0).at(0);
}

ScratchDatabase::ScratchDatabase(const std::string& from) {
  static std::atomic<int> count{0};
  name_ = "scratch_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
  Probe(required("CHAT_TEST_PG") + " dbname=postgres")
      .run("create database " + name_ + " owner chat_owner template " + from);
}

ScratchDatabase::~ScratchDatabase() {
  try {
    Probe(required("CHAT_TEST_PG") + " dbname=postgres").run("drop database if exists " + name_ + " with (force)");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s stays behind: %s\n", name_.c_str(), e.what());
  }
}

storage::DatabaseOptions ScratchDatabase::server() const { return as(required("CHAT_TEST_PG"), "chat_server", name_); }
storage::DatabaseOptions ScratchDatabase::owner() const { return as(required("CHAT_TEST_PG"), "chat_owner", name_); }
storage::DatabaseOptions ScratchDatabase::superuser() const { return as(required("CHAT_TEST_PG"), "postgres", name_); }

ScratchCluster::ScratchCluster() {
  std::string pattern = "/tmp/chatd-cluster-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  folder_ = pattern;
  start();
}

ScratchCluster::~ScratchCluster() {
  try {
    stop();
    std::filesystem::remove_all(folder_);
    std::filesystem::remove_all(host_);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s stays behind: %s\n", folder_.c_str(), e.what());
  }
}

// Not `ops/dev/postgres stop`: that gives the socket's directory up, and a restarted cluster must be found where it was.
void ScratchCluster::stop() {
  const std::string as_account = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
  command("cd / && " + as_account + CHAT_PG_BIN "/pg_ctl -D " + folder_ + "/data -m fast -w stop >/dev/null");
}

void ScratchCluster::start() {
  command(CHAT_SOURCE_DIR "/ops/dev/postgres start " + folder_ + " --fast");
  std::ifstream(folder_ + "/socket") >> host_;
}

storage::DatabaseOptions ScratchCluster::server() const { return as("host=" + host_ + " port=5432", "chat_server", "chat"); }
storage::DatabaseOptions ScratchCluster::superuser() const { return as("host=" + host_ + " port=5432", "postgres", "chat"); }

}  // namespace chat::test
