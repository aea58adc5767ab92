#include "cli/files/yaml.h"

#include <catch2/catch.hpp>

#include "cli/exit_code.h"

namespace chat::cli {
namespace {

std::string refusal(const std::string& yaml) {
  try {
    return "accepted: " + yaml_to_json(yaml, "f.yaml");
  } catch (const Failure& failure) {
    return failure.message();
  }
}

}  // namespace

TEST_CASE("yaml: plain words have types, quoted ones are texts", "[unit][cli]") {
  CHECK(yaml_to_json(
            "[1, -2, 1.5, 1e3, true, False, null, ~, '1', \"true\", yes, on, 010, 0x10, 1_000, .5, 0, -0.5]",
            "f") ==
        R"([1,-2,1.5,1000.0,true,false,null,null,"1","true","yes","on","010","0x10","1_000",0.5,0,-0.5])");
  CHECK(yaml_to_json("99999999999999999999999", "f").find_first_not_of("0123456789.e+") == std::string::npos);
  CHECK(yaml_to_json("a: 2026-11-21\nb: 1.2.3\nc: --\n", "f") ==
        R"({"a":"2026-11-21","b":"1.2.3","c":"--"})");
}

TEST_CASE("yaml: nothing is null", "[unit][cli]") {
  CHECK(yaml_to_json("", "f") == "null");
  CHECK(yaml_to_json("# only a comment\n", "f") == "null");
  CHECK(yaml_to_json("a:\n", "f") == R"({"a":null})");
}

TEST_CASE("yaml: mistakes name the place", "[unit][cli]") {
  CHECK(refusal("a: 1\nb: 2\na: 3\n") == "f.yaml:3:1: \"a\" stands here twice");
  CHECK(refusal("a: [1\n").rfind("f.yaml:", 0) == 0);
  CHECK(refusal("---\na: 1\n---\nb: 2\n").find("second document") != std::string::npos);
  CHECK(refusal("a: !!binary aGk=\n").find("not understood") != std::string::npos);
  CHECK(refusal("? [a]\n: 1\n").find("a key must be a word") != std::string::npos);
  CHECK(refusal(std::string(200, '[') + std::string(200, ']')).find("32") != std::string::npos);
}

}  // namespace chat::cli
