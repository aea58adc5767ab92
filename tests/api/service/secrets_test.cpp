#include <catch2/catch.hpp>

#include "tenants/directory.h"
#include "tenants/keys.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

/// What a node knows of applications, with room for one.
struct Knowing {
  crypto::Sealer sealer{std::string(32, 'k')};
  tenants::Directory directory{sealer, system_clock(), 1};
  storage::Connection connection{server_database()};

  std::shared_ptr<const tenants::Application> load(const TestApp& app) { return directory.load(connection, *AppId::parse(app.id())); }
  /// As a token does that was signed with its secret.
  std::int64_t use(const TestApp& app, std::chrono::milliseconds later = std::chrono::milliseconds(0)) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>((system_clock().now() + later).time_since_epoch()).count();
    load(app)->secrets.front().use->seen_ms = now;
    return now;
  }
  std::vector<tenants::Directory::Used> due(std::size_t limit = 100) { return directory.used_secrets(std::chrono::minutes(10), limit); }
};

}  // namespace

TEST_CASE("secrets: a use is known until it is written down, whatever is forgotten meanwhile", "[api][secrets]") {
  TestApp first, second;
  Knowing knowing;
  knowing.use(first);
  knowing.use(second);                         // there is room for one: the first is forgotten
  knowing.directory.forget_all();
  CHECK(knowing.due(1).size() == 1);
  CHECK(knowing.due().size() == 2);            // nobody said that it was noted
  tenants::note_used_secrets(knowing.connection, knowing.directory);
  for (auto* app : {&first, &second}) CHECK(app->rows("application_secrets", "last_used_at > now() - interval '1 minute'") == 1);
  CHECK(knowing.due().empty());
}

TEST_CASE("secrets: a use is written down every ten minutes at most, though the application was forgotten", "[api][secrets]") {
  TestApp app;
  Knowing knowing;
  knowing.use(app);
  tenants::note_used_secrets(knowing.connection, knowing.directory);
  knowing.directory.forget(*AppId::parse(app.id()));
  CHECK(knowing.due().empty());
  knowing.use(app, std::chrono::minutes(5));
  CHECK(knowing.due().empty());
  knowing.use(app, std::chrono::minutes(11));
  CHECK(knowing.due().size() == 1);
}

TEST_CASE("secrets: what can't be written down is tried again", "[api][secrets]") {
  TestApp app;
  Knowing knowing;
  knowing.use(app);
  {
    auto options = server_database();
    options.lock_timeout = std::chrono::milliseconds(50);
    storage::Connection impatient(options);
    Probe rival(superuser_database().dsn);
    rival.run("begin; select from application_secrets where app_id = '" + uuid_of(app) + "' for update");
    CHECK_THROWS(tenants::note_used_secrets(impatient, knowing.directory));
    rival.run("rollback");
  }
  tenants::note_used_secrets(knowing.connection, knowing.directory);
  CHECK(app.rows("application_secrets", "last_used_at is not null") == 1);
}

TEST_CASE("secrets: one stays for good, whether the others are deleted or ended", "[api][secrets]") {
  TestApp app;
  const std::string first = app.server().get("/v1/app/keys").body["secrets"][0]["secret_id"];
  const std::string second = app.server().post("/v1/app/secrets").body["secret"]["secret_id"];
  REQUIRE(app.server().post("/v1/app/secrets/" + first + "/expire", {{"in_s", 3600}}).status == 200);
  CHECK(app.server().del("/v1/app/secrets/" + second).code() == "conflict");   // only one that ends would be left
  CHECK(Service::get().operators().del(path_of(app, "/secrets/" + second)).code() == "conflict");
  CHECK(app.server().get("/v1/app/keys").body["secrets"].size() == 2);
  CHECK(app.server().del("/v1/app/secrets/" + first).status == 204);
  CHECK(app.rows("application_secrets") == 1);
}

TEST_CASE("secrets: those that ended a month ago are forgotten when one is made", "[api][secrets]") {
  TestApp app;
  for (int i = 0; i < 2; ++i) REQUIRE(Service::get().operators().post(path_of(app, "/secrets"), {{"expire_others_in_s", 0}}).status == 201);
  CHECK(app.rows("application_secrets") == 3);
  Probe(superuser_database().dsn)
      .run("update application_secrets set expires_at = now() - interval '31 days' where id = (select id from application_secrets where app_id = '" +
           uuid_of(app) + "' order by id limit 1) and app_id = '" + uuid_of(app) + "'");
  REQUIRE(Service::get().operators().post(path_of(app, "/secrets")).status == 201);
  CHECK(app.rows("application_secrets") == 3);
  CHECK(app.rows("application_secrets", "expires_at < now() - interval '30 days'") == 0);
}
