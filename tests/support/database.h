#pragma once
#include <memory>
#include <string>
#include <vector>

#include "platform/storage/pool.h"

/// The PostgreSQL of the tests: a private cluster that ops/test starts with ops/dev/postgres.
///   CHAT_TEST_PG   libpq conninfo of its superuser: "host=/tmp/chatd-x port=5432 user=postgres"
///   CHAT_TEST_DB   the migrated database that all tests share, each with applications of its own
/// Without them a test fails and says so.
namespace chat::test {

/// The shared, migrated database with the role of chatd.
storage::DatabaseOptions server_database();
/// The same with the role that owns the schema.
storage::DatabaseOptions owner_database();
/// The same as superuser: sees every application. For what a test must look at from outside.
storage::DatabaseOptions superuser_database();

/// A plain connection for arranging and looking from outside, around the code under test.
/// Errors:  std::runtime_error with PostgreSQL's message.
class Probe {
 public:
  explicit Probe(const std::string& dsn);
  ~Probe();
  void run(const std::string& sql);                       // any number of statements
  std::vector<std::vector<std::string>> rows(const std::string& sql);   // NULL is ""
  std::string value(const std::string& sql);              // of one row and column; "" when there is no row

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

/// A database of its own, dropped at the end. Owned by chat_owner; from template0 (empty) or a named template.
class ScratchDatabase {
 public:
  explicit ScratchDatabase(const std::string& from = "template0");
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;
  [[nodiscard]] storage::DatabaseOptions server() const;
  [[nodiscard]] storage::DatabaseOptions owner() const;
  [[nodiscard]] storage::DatabaseOptions superuser() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// A whole cluster of its own, for what must stop and start PostgreSQL. Starts in about a second; removed at the end.
class ScratchCluster {
 public:
  ScratchCluster();
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;
  void stop();                                            // fast shutdown; sessions are ended
  void start();
  [[nodiscard]] storage::DatabaseOptions server() const;
  [[nodiscard]] storage::DatabaseOptions superuser() const;

 private:
  std::string folder_;
  std::string host_;
};

}  // namespace chat::test
