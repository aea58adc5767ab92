#include "platform/matching/matcher.h"

#include <catch2/catch.hpp>

using namespace chat::matching;

namespace {

struct Entry {
  std::string text;
  Kind kind = Kind::words;
  Folding folding = {};
};

std::vector<Found> look_for(const std::vector<Entry>& entries, std::string_view text) {
  std::vector<Pattern> patterns;
  for (const auto& entry : entries) patterns.push_back({entry.text, entry.kind, folding_of(entry.kind, entry.folding)});
  std::vector<Matcher::Failure> failures;
  const Matcher matcher(patterns, failures);
  REQUIRE(failures.empty());
  std::vector<Found> found;
  CHECK(matcher.find(Text(text), found));
  return found;
}

bool is_found(const Entry& entry, std::string_view text) { return !look_for({entry}, text).empty(); }

using All = std::vector<Found>;

}  // namespace

TEST_CASE("matcher: a word is found where it stands alone, in any script", "[unit][matching]") {
  CHECK(look_for({{"bad"}}, "a BAD day, baddie") == All{{0, 2, 5}});
  CHECK(look_for({{"дурак"}}, "Ты ДУРАК! дурака") == All{{0, 3, 8}});
  CHECK(look_for({{"idiot"}}, "l'idiot, _idiot_ idiot.fin idiots") == All{{0, 2, 7}, {0, 10, 15}, {0, 17, 22}});
  CHECK(look_for({{"馬鹿"}}, "お前は馬鹿だ") == All{{0, 3, 5}});
  CHECK(look_for({{"バカ"}}, "ハバカル バカ") == All{{0, 5, 7}});
  CHECK(look_for({{"أحمق"}}, "أنت أحمق يا") == All{{0, 4, 8}});
  CHECK(is_found({"בן"}, "בן בא"));
  CHECK_FALSE(is_found({"cafe"}, "café"));
  CHECK_FALSE(is_found({"cafe"}, "cafe\u0301"));
  CHECK(is_found({"💩"}, "so💩bad"));
  CHECK(is_found({"c++"}, "I write c++, always"));
}

TEST_CASE("matcher: in Thai a dictionary says where words end", "[unit][matching]") {
  CHECK(is_found({"ตา"}, "ตา กลม"));
  CHECK(look_for({{"ภาษา"}}, "ภาษาไทย") == All{{0, 0, 4}});
  CHECK_FALSE(is_found({"าษ"}, "ภาษาไทย"));
}

TEST_CASE("matcher: a star leaves an end open", "[unit][matching]") {
  CHECK(look_for({{"bad*"}}, "baddie notbad") == All{{0, 0, 3}});
  CHECK(look_for({{"*bad"}}, "baddie notbad") == All{{0, 10, 13}});
  CHECK(look_for({{"*bad*"}}, "baddie notbad") == All{{0, 0, 3}, {0, 10, 13}});
}

TEST_CASE("matcher: a phrase bridges any white space", "[unit][matching]") {
  CHECK(look_for({{"go  away"}}, "GO\n\taway now") == All{{0, 0, 8}});
  CHECK_FALSE(is_found({"go away"}, "goaway"));
}

TEST_CASE("matcher: tricks are seen through by setting, in the place where they stand", "[unit][matching]") {
  CHECK(look_for({{"bad"}}, "x b\u200Ba\u200Bd y") == All{{0, 2, 7}});
  CHECK(look_for({{"bad", Kind::words, {.spacing = true}}}, "so b.a.d!") == All{{0, 3, 8}});
  CHECK(look_for({{"bad", Kind::words, {.spacing = true}}}, "I b a d") == All{{0, 2, 7}});
  CHECK(look_for({{"bad", Kind::words, {.confusables = true}}}, "bаd|") == All{{0, 0, 3}});
  CHECK(look_for({{"ass", Kind::words, {.leet = true}}}, "a$$ @5s assess") == All{{0, 0, 3}, {0, 4, 7}});
  CHECK(look_for({{"bad", Kind::words, {.diacritics = true}}}, "b\u0336a\u0336d\u0336 ok") == All{{0, 0, 5}});
  CHECK_FALSE(is_found({"bad"}, "b.a.d"));
}

TEST_CASE("matcher: a host is found with all below it and not beside it", "[unit][matching]") {
  const Entry host{"evil.example", Kind::domain};
  CHECK(look_for({host}, "see https://www.Evil.Example/x?y") == All{{0, 16, 28}});
  CHECK(is_found(host, "EVIL。example"));
  CHECK(is_found(host, "write to me@evil.example."));
  CHECK_FALSE(is_found(host, "notevil.example"));
  CHECK_FALSE(is_found(host, "my-evil.example"));
  CHECK_FALSE(is_found(host, "evil.example.org"));
  CHECK_FALSE(is_found(host, "evil.examples"));
  CHECK(is_found({"bücher.example", Kind::domain}, "http://xn--bcher-kva.example"));
  CHECK(is_found({"xn--bcher-kva.example", Kind::domain}, "BÜCHER.example"));
}

TEST_CASE("matcher: a host is found however its letters are escaped, in the place where it stands", "[unit][matching]") {
  const Entry host{"evil.example", Kind::domain};
  CHECK(look_for({host}, "https://ev%69l.example/x") == All{{0, 8, 22}});
  CHECK(look_for({host}, "https://%65vil%2Eexampl%65") == All{{0, 8, 26}});
  CHECK(look_for({host}, "?to=https%3A%2F%2Fevil.example%2Fx") == All{{0, 18, 30}});
  CHECK(look_for({{"bücher.example", Kind::domain}}, "http://b%C3%bCcher.example") == All{{0, 7, 26}});
  CHECK(is_found({"spam@evil.example", Kind::email}, "mailto:spam%40evil.example"));
  for (const auto* other : {"https://n%6ftevil.example", "https://evil.example%73", "https://ev%6.example", "https://ev%C3l.example", "https://ev%"})
    CHECK_FALSE(is_found(host, other));
  CHECK_FALSE(is_found({"bad"}, "b%61d"));     // words are read as they are
}

TEST_CASE("matcher: an address is found whole, or by its host", "[unit][matching]") {
  CHECK(look_for({{"Spam@evil.example", Kind::email}}, "mail spam@EVIL.example now") == All{{0, 5, 22}});
  CHECK_FALSE(is_found({"spam@evil.example", Kind::email}, "antispam@evil.example"));
  CHECK_FALSE(is_found({"spam@evil.example", Kind::email}, "anti.spam@evil.example"));
  CHECK(is_found({"@evil.example", Kind::email}, "anybody@evil.example"));
  CHECK_FALSE(is_found({"@evil.example", Kind::email}, "anybody@sub.evil.example"));
}

TEST_CASE("matcher: a regular expression gives its longest find from a place on", "[unit][matching]") {
  CHECK(look_for({{"ca[rt]+\\d", Kind::regex}}, "my CARt5 x") == All{{0, 3, 8}});
  CHECK(look_for({{"é.", Kind::regex}}, "xéy") == All{{0, 1, 3}});
  CHECK_FALSE(is_found({"car", Kind::regex, {.letter_case = false}}, "CAR"));
}

TEST_CASE("matcher: many lists are looked through at once, each as it is set", "[unit][matching]") {
  CHECK(look_for({{"bad"}, {"bad", Kind::words, {.letter_case = false}}, {"bad", Kind::words, {.spacing = true}}, {"b\\w+", Kind::regex}}, "Bad b a d") ==
        All{{0, 0, 3}, {2, 0, 3}, {2, 4, 9}, {3, 0, 3}});
}

TEST_CASE("matcher: what can't be looked for is refused where the mistake stands", "[unit][matching]") {
  const auto mistake = [](Kind kind, std::string_view text) { return find_mistake(kind, text, folding_of(kind, {})); };
  CHECK_FALSE(mistake(Kind::regex, "a(b|c)*d{2,5}"));
  REQUIRE(mistake(Kind::regex, "ééa(b"));
  CHECK(mistake(Kind::regex, "ééab)")->at == 4);
  REQUIRE(mistake(Kind::regex, "(a)\\1"));
  CHECK(mistake(Kind::regex, "x(a{500}){500}")->at == 9);
  REQUIRE(mistake(Kind::regex, "a*"));         // would find nothing, everywhere
  CHECK(mistake(Kind::words, " \u200B"));
  CHECK(mistake(Kind::words, "**"));
  CHECK_FALSE(mistake(Kind::words, "*bad*"));
  CHECK(mistake(Kind::domain, "https://evil.example"));
  CHECK(mistake(Kind::domain, "localhost"));
  CHECK_FALSE(mistake(Kind::domain, "Evil.Example"));
  CHECK(mistake(Kind::email, "no sign.example"));
  CHECK(mistake(Kind::email, "me@bad host")->at == 3);
  CHECK_FALSE(mistake(Kind::email, "@evil.example"));
}

TEST_CASE("matcher: what can't be compiled is left out and named, the rest is found", "[unit][matching]") {
  const Folding folding = folding_of(Kind::regex, {});
  std::vector<Matcher::Failure> failures;
  const Matcher matcher({{"go+d", Kind::regex, folding}, {"ba(d", Kind::regex, folding}, {"ug*ly", Kind::regex, folding}}, failures);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].pattern == 1);
  CHECK_FALSE(failures[0].mistake.detail.empty());
  All found;
  CHECK(matcher.find(Text("goood ba(d uly"), found));
  CHECK(found == All{{0, 0, 5}, {2, 11, 14}});
}

TEST_CASE("matcher: a text that is nothing but finds ends at the limit and says so", "[unit][matching]") {
  std::vector<Matcher::Failure> failures;
  const Matcher matcher({{"a", Kind::words, {}}}, failures);
  std::string text;
  for (std::size_t i = 0; i <= Matcher::kMaxFound; ++i) text += "a ";
  All found;
  CHECK_FALSE(matcher.find(Text(text), found));
  CHECK(found.size() == Matcher::kMaxFound);
}

TEST_CASE("matcher: after a change of few among many, what came is found and what went is not", "[unit][matching]") {
  std::vector<std::string> words;
  for (int i = 0; i < 6'000; ++i) words.push_back("word" + std::to_string(i));
  const auto compiled = [&](const Matcher* before) {
    std::vector<Pattern> patterns;
    for (const auto& word : words) patterns.push_back({word, Kind::words, {}});
    std::vector<Matcher::Failure> failures;
    return std::make_unique<Matcher>(patterns, failures, before);
  };
  const auto find = [](const Matcher& matcher, std::string_view text) {
    All found;
    matcher.find(Text(text), found);
    return found;
  };
  const auto first = compiled(nullptr);
  words[7] = "another";
  const auto second = compiled(first.get());
  CHECK(find(*second, "word7 another word8") == All{{7, 6, 13}, {8, 14, 19}});
  CHECK(find(*first, "word7 another") == All{{7, 0, 5}});
  words[7] = "word7";
  words.push_back("third");
  const auto third = compiled(second.get());
  CHECK(find(*third, "word7 another third") == All{{7, 0, 5}, {6'000, 14, 19}});
  words.resize(2);
  CHECK(find(*compiled(third.get()), "word0 word1 word2 third") == All{{0, 0, 5}, {1, 6, 11}});
}

TEST_CASE("matcher: made quickly it finds the same, and what comes after it compiles the rest", "[unit][matching]") {
  std::vector<Entry> entries{{"bad"}, {"b"}, {"*adder*"}, {"дурак"}, {"a bad word"}, {"evil.example", Kind::domain}, {"spam@evil.example", Kind::email},
                             {"go+d", Kind::regex}, {"DAMN", Kind::words, {.spacing = true}}};
  for (int i = 0; i < 3'000; ++i) entries.push_back({"word" + std::to_string(i)});
  for (int i = 0; i < 2'000; ++i) entries.push_back({"spaced" + std::to_string(i), Kind::words, {.spacing = true}});
  const auto made = [&entries](const Matcher* before, bool quickly) {
    std::vector<Pattern> patterns;
    for (const auto& entry : entries) patterns.push_back({entry.text, entry.kind, folding_of(entry.kind, entry.folding)});
    std::vector<Matcher::Failure> failures;
    auto matcher = std::make_unique<Matcher>(patterns, failures, before, quickly);
    CHECK(failures.empty());
    return matcher;
  };
  const auto find = [](const Matcher& matcher, std::string_view text) {
    All found;
    CHECK(matcher.find(Text(text), found));
    return found;
  };
  const auto whole = made(nullptr, false), quick = made(nullptr, true);
  CHECK(whole->is_compiled());
  CHECK_FALSE(quick->is_compiled());
  const std::vector<std::string> texts{"a BAD word, b, badder ladders", "дурак gooood spam@evil.example www.evil.example", "d.a.m.n spaced7 spaced1999 word0 word2999 word3000", "", "b"};
  for (const auto& text : texts) CHECK(find(*quick, text) == find(*whole, text));
  const auto finished = made(quick.get(), false);
  CHECK(finished->is_compiled());
  for (const auto& text : texts) CHECK(find(*finished, text) == find(*whole, text));
  entries.push_back({"last"});
  const auto changed = made(finished.get(), true);
  CHECK(changed->is_compiled());               // little is new
  CHECK(find(*changed, "last word2999").size() == 2);
}

TEST_CASE("matcher: a long text without spaces is read once, whatever is found in it", "[unit][matching]") {
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += "ภาษาไทย";
  const auto found = look_for({{"ภาษา"}, {"ไทย"}, {"าษ"}}, text);
  CHECK(found.size() == 4'000);
}
