#include <catch2/catch.hpp>

#include "platform/storage/listing.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::FieldType;
using storage::ListField;
using storage::Params;
using storage::Row;
using storage::Transaction;

namespace {

constexpr storage::Statement kAddCard{
    "cards.add", "insert into cards (app_id, id, title, size, done, at, tags) values ($1, $2, $3, $4, $5, $6, $7)"};
constexpr storage::Statement kCards{"cards.list", "select c.id, c.title\nfrom cards c where c.app_id = $1"};

const storage::Listing& listing() {
  static const storage::Listing cards(
      kCards, "c.id",
      {{"created_at", "c.at", FieldType::time, true},
       {"title", "c.title", FieldType::text, true},
       {"size", "c.size", FieldType::integer, true},
       {"done", "c.done", FieldType::boolean},
       {"tag", "", FieldType::text, false, "c.tags && %"}});
  return cards;
}

const storage::Cursors kCursors(std::string(32, 'k'));

/// Seven cards a to g. Sizes 1 2 2 3 3 4 4, an hour later after every second one: ties are everywhere.
struct Cards : Notes {
  Cards() {
    static const bool made = [] {
      Probe(notes_database().owner().dsn).run(R"(
        create table cards (app_id uuid, id uuid, title text not null, size bigint not null, done boolean,
                            at timestamptz not null, tags text[] not null, primary key (app_id, id));
        grant select, insert on cards to chat_server)");
      return true;
    }();
    (void)made;
    const Timestamp start = *parse_time("2026-11-21T12:00:00.000001Z");
    write([&](Transaction& tx) {
      for (int i = 0; i < 7; ++i)
        tx.run(kAddCard, app, new_uuid7(system_clock().now()), std::string(1, static_cast<char>('a' + i)), (i + 3) / 2,
               i == 0 ? std::optional<bool>() : std::optional(i % 2 == 0), start + std::chrono::hours(i / 2),
               i < 2 ? "{red,\"it's\"}" : "{blue}");
    });
  }

  storage::Page<std::string> page(const std::string& request) {
    const auto document = json::Document::parse(request);
    json::Fields body(document.root());
    const auto list = listing().read(body, kCursors, app.text() + "|cards", 1);
    body.finish();
    storage::Page<std::string> page;
    connection.transact(app, storage::Mode::read, [&](Transaction& tx) {
      page = listing().page<std::string>(tx, Params::of(app), list, kCursors,
                                         [](const Row& row) { return std::string(row.text(1)); });
    });
    return page;
  }

  /// The titles, one letter each.
  std::string titles(const std::string& filter) {
    std::string out;
    for (const auto& title : page(R"({"sort":[{"field":"title","order":"asc"}],"filter":)" + filter + "}").items) out += title;
    return out;
  }

  std::string pointer_of_refusal(const std::string& request) {
    auto error = refusal([&] { page(request); });
    return error.fields().empty() ? "" : error.fields()[0].pointer;
  }
};

std::string nested(int depth) {
  return depth == 0 ? R"({"title":"a"})" : R"({"$and":[)" + nested(depth - 1) + "]}";
}

}  // namespace

TEST_CASE("listing: paging gives every row once, in order, also where the sorted values are equal", "[db][storage]") {
  Cards cards;
  for (const char* order : {"asc", "desc"})
    for (const char* field : {"created_at", "title", "size"}) {
      INFO(field << " " << order);
      const std::string sort = std::string(R"("sort":[{"field":")") + field + R"(","order":")" + order + R"("}])";
      std::string seen;
      std::optional<std::string> next;
      for (int pages = 0; pages < 10; ++pages) {
        auto page = cards.page("{\"limit\":2," + sort + (next ? ",\"next\":\"" + *next + "\"" : "") + "}");
        for (const auto& title : page.items) seen += title;
        next = page.next;
        if (!next) break;
      }
      CHECK(seen == (order == std::string("asc") ? "abcdefg" : "gfedcba"));
    }
}

TEST_CASE("listing: a page that ends exactly at the end has no next", "[db][storage]") {
  Cards cards;
  CHECK_FALSE(cards.page(R"({"limit":7})").next.has_value());
  CHECK(cards.page(R"({"limit":6})").next.has_value());
  CHECK(cards.page("{}").items.front() == "g");
}

TEST_CASE("listing: every operator filters", "[db][storage]") {
  Cards cards;
  CHECK(cards.titles("{}") == "abcdefg");
  CHECK(cards.titles(R"({"title":"c"})") == "c");
  CHECK(cards.titles(R"({"title":{"$ne":"c"}})") == "abdefg");
  CHECK(cards.titles(R"({"size":{"$gt":2}})") == "defg");
  CHECK(cards.titles(R"({"size":{"$gte":2,"$lt":4}})") == "bcde");
  CHECK(cards.titles(R"({"size":{"$lte":1}})") == "a");
  CHECK(cards.titles(R"({"title":{"$in":["a","g","nobody"]}})") == "ag");
  CHECK(cards.titles(R"({"title":{"$in":[]}})").empty());
  CHECK(cards.titles(R"({"title":{"$nin":["a","g"]}})") == "bcdef");
  CHECK(cards.titles(R"({"done":{"$exists":false}})") == "a");
  CHECK(cards.titles(R"({"done":{"$ne":true}})") == "abdf");
  CHECK(cards.titles(R"({"done":{"$nin":[true]}})") == "abdf");
}

TEST_CASE("listing: conditions combine as they are nested", "[db][storage]") {
  Cards cards;
  CHECK(cards.titles(R"({"$or":[{"title":"a"},{"size":4,"done":true}]})") == "ag");
  CHECK(cards.titles(R"({"$and":[{"$or":[{"title":"a"},{"title":"b"}]},{"size":2}]})") == "b");
  CHECK(cards.titles(R"({"size":2,"$or":[{"title":"a"},{"title":"c"}]})") == "c");
  CHECK(cards.titles(R"({"created_at":{"$gt":"2026-11-21T13:00:00+01:00","$lt":"2026-11-21T14:00:00Z"}})") == "abcd");
  CHECK(cards.titles(R"({"tag":"red"})") == "ab");
  CHECK(cards.titles(R"({"tag":{"$in":["it's","none"]}})") == "ab");
}

TEST_CASE("listing: values are data, whatever they look like", "[db][storage]") {
  Cards cards;
  CHECK(cards.titles(R"({"title":"' or true --"})").empty());
  CHECK(cards.titles(R"({"title":{"$in":["a\",\"b","{a}","NULL","\\"]}})").empty());
}

TEST_CASE("listing: what it can't do is refused, with the place of the mistake", "[db][storage]") {
  Cards cards;
  CHECK(cards.pointer_of_refusal(R"({"filter":{"colour":"red"}})") == "#/filter/colour");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"title":{"$like":"a"}}})") == "#/filter/title/$like");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"size":"2"}})") == "#/filter/size");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"size":{"$in":[1,"2"]}}})") == "#/filter/size/$in/1");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"created_at":"yesterday"}})") == "#/filter/created_at");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"title":{}}})") == "#/filter/title");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"title":null}})") == "#/filter/title");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"$or":[]}})") == "#/filter/$or");
  CHECK(cards.pointer_of_refusal(R"({"filter":{"tag":{"$gt":"a"}}})") == "#/filter/tag/$gt");
  CHECK(cards.pointer_of_refusal(R"({"sort":[{"field":"done"}]})") == "#/sort/0/field");
  CHECK(cards.pointer_of_refusal(R"({"sort":[{"field":"title","order":"up"}]})") == "#/sort/0/order");
  CHECK(cards.pointer_of_refusal(R"({"sort":[{"field":"title"},{"field":"size"}]})") == "#/sort");
  CHECK(cards.pointer_of_refusal(R"({"limit":101})") == "#/limit");
  CHECK(cards.pointer_of_refusal(R"({"next":"forged"})") == "#/next");
}

TEST_CASE("listing: filters are bounded in depth and number", "[db][storage][limits]") {
  Cards cards;
  CHECK(cards.titles(nested(4)) == "a");
  CHECK(refusal([&] { cards.titles(nested(5)); }).code() == Code::invalid_field);
  std::string many = R"({"$or":[{"title":"a"})";
  for (int i = 0; i < 60; ++i) many += R"(,{"title":"a"})";
  CHECK(refusal([&] { cards.titles(many + "]}"); }).code() == Code::invalid_field);
  std::string list = R"({"title":{"$in":["a")";
  for (int i = 0; i < 100; ++i) list += ",\"a\"";
  CHECK(refusal([&] { cards.titles(list + "]}}"); }).code() == Code::invalid_field);
}

TEST_CASE("listing: a cursor works only with the filter, sort and application that it came from", "[db][storage][tenancy]") {
  Cards cards;
  Cards others;
  const std::string next = *cards.page(R"({"limit":2})").next;
  CHECK(cards.page(R"({"limit":2,"next":")" + next + "\"}").items == std::vector<std::string>{"e", "d"});
  CHECK(cards.pointer_of_refusal(R"({"filter":{"size":2},"next":")" + next + "\"}") == "#/next");
  CHECK(cards.pointer_of_refusal(R"({"sort":[{"field":"title"}],"next":")" + next + "\"}") == "#/next");
  CHECK(others.pointer_of_refusal(R"({"limit":2,"next":")" + next + "\"}") == "#/next");
}
