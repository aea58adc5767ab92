#include <catch2/catch.hpp>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/storage/page.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using storage::Cursors;

namespace {

const Cursors kCursors(std::string(32, 'k'));
const std::vector<std::string> kPosition{"2026-11-21T12:00:00.000000Z", "", "a|b\"c", std::string("\0\xff", 2)};

Code opened(const Cursors& cursors, const std::string& scope, const std::string& cursor) {
  return test::refusal([&] { (void)cursors.open(scope, cursor); }).code();
}

}  // namespace

TEST_CASE("cursors: open what they sealed", "[unit][storage]") {
  CHECK(kCursors.open("app|users||id", kCursors.seal("app|users||id", kPosition)) == kPosition);
  CHECK(kCursors.open("s", kCursors.seal("s", {})).empty());
}

TEST_CASE("cursors: refuse another application's, list's or query's", "[unit][storage][tenancy]") {
  const auto cursor = kCursors.seal("app1|users||id", kPosition);
  for (const char* scope : {"app2|users||id", "app1|channels||id", "app1|users|x|id", "app1|users||name", ""})
    CHECK(opened(kCursors, scope, cursor) == Code::invalid_field);
  CHECK(opened(Cursors(std::string(32, 'l')), "app1|users||id", cursor) == Code::invalid_field);
}

TEST_CASE("cursors: refuse one with any character changed, cut off or added", "[unit][storage]") {
  const auto cursor = kCursors.seal("s", kPosition);
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    std::string changed = cursor;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(opened(kCursors, "s", changed) == Code::invalid_field);
    CHECK(opened(kCursors, "s", cursor.substr(0, at)) == Code::invalid_field);
  }
  for (const std::string& forged : {cursor + "A", cursor + "=", std::string("%%%"), std::string(100'000, 'A')})
    CHECK(opened(kCursors, "s", forged) == Code::invalid_field);
}

TEST_CASE("cursors: moving bytes from the scope to the position does not make another valid one", "[unit][storage]") {
  const std::string moved("\0\0\0\1q", 5);
  const auto whole = *crypto::parse_base64url(kCursors.seal("x" + moved, {"c"}));
  const auto forged = crypto::base64url(whole.substr(0, 16) + moved + whole.substr(16));
  CHECK(opened(kCursors, "x", forged) == Code::invalid_field);
}

TEST_CASE("cursors: say where the bad one stood", "[unit][storage]") {
  auto error = test::refusal([&] { (void)kCursors.open("s", "x", "query:next"); });
  CHECK(error.fields().at(0).pointer == "query:next");
}
