#include "tests/support/contract.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "platform/base/error.h"
#include "platform/http/openapi.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Mistakes = std::vector<std::string>;

void add(Mistakes& all, const Mistakes& more) { all.insert(all.end(), more.begin(), more.end()); }

std::mutex seen_mutex;
std::string running_test;                                   // guarded by seen_mutex
std::set<std::pair<std::string, std::string>> seen;         // guarded by seen_mutex: what this process has noted already

// Several processes append to the same file: each line goes in one write.
void note_seen(const std::string& name) {
  const char* directory = std::getenv("CHAT_CONTRACT_COVERAGE");
  if (directory == nullptr || *directory == '\0') return;
  const std::lock_guard lock(seen_mutex);
  if (!seen.insert({name, running_test}).second) return;
  std::ofstream(std::filesystem::path(directory) / name, std::ios::app) << running_test + "\n";
}

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at + 1), path.size());
    parts.push_back(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return parts;
}

// How many literal segments of the template the path meets; -1: it does not match.
int literals_met(std::string_view pattern, std::string_view path) {
  const auto wanted = segments(pattern);
  const auto given = segments(path);
  if (wanted.size() != given.size()) return -1;
  int literals = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].substr(0, 1) == "{") {
      if (given[i].empty()) return -1;
    } else if (wanted[i] == given[i]) {
      ++literals;
    } else {
      return -1;
    }
  }
  return literals;
}

}  // namespace

void now_testing(std::string test) {
  const std::lock_guard lock(seen_mutex);
  running_test = std::move(test);
}

const Contract& Contract::get() {
  static const Contract contract;
  return contract;
}

Contract::Contract() : document_(json::parse(embedded::openapi_json)) {
  for (const auto& [path, item] : document_.at("paths").items())
    for (const char* method : {"get", "head", "post", "put", "patch", "delete"})
      if (item.contains(method)) {
        const json& node = item[method];
        std::string word = method;
        std::transform(word.begin(), word.end(), word.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
        operations_.push_back({word, path, node.at("operationId"), node.at("x-access"), node.at("x-door"), &node});
      }
}

const Operation* Contract::find(std::string_view method, std::string_view path) const {
  const Operation* best = nullptr;
  int most = -1;
  for (const Operation& operation : operations_) {
    const int met = operation.method == method ? literals_met(operation.path, path) : -1;
    if (met > most) {
      most = met;
      best = &operation;
    }
  }
  return best;
}

const Operation* Contract::find_change(std::string_view method, std::string_view path) const {
  const Operation* operation = find(method, path.substr(0, path.find('?')));
  if (!operation || (operation->access != "operator_only" && operation->access != "server")) return nullptr;
  return operation->method == "GET" && operation->id != "get_export_part" ? nullptr : operation;
}

void Contract::saw_note(const Operation& operation) { note_seen("noted." + operation.id); }

Mistakes Contract::check_problem(const json& problem, int status, const json& codes) const {
  Mistakes found = schemas_.mistakes(document_["components"]["schemas"]["Problem"], problem);
  if (!found.empty()) return found;
  const std::string code = problem["code"];
  note_seen("code." + code);
  if (problem["status"] != status) found.push_back("/status: is " + problem["status"].dump() + ", the answer's is " + std::to_string(status));
  if (std::find(codes.begin(), codes.end(), code) == codes.end())
    found.push_back("/code: " + code + " is not among those of this answer: " + codes.dump());
  for (const CodeRow& row : code_rows())
    if (row.word == code && (row.status != status || problem["retryable"] != row.retryable))
      found.push_back("/code: " + code + " stands with another status or retryable in the error table");
  return found;
}

Mistakes Contract::check_response(std::string_view method, std::string_view path, int status, std::string_view body,
                                  std::string_view content_type) const {
  path = path.substr(0, path.find('?'));
  const bool head = method == "HEAD";
  const Operation* operation = find(head ? "GET" : method, path);
  const std::string name = operation ? operation->id : std::string(method) + " " + std::string(path);
  const std::string key = std::to_string(status);
  Mistakes found;
  const auto labelled = [&] {
    for (std::string& mistake : found) mistake.insert(0, name + " " + key + " ");
    return found;
  };

  const json* response = nullptr;
  if (operation && operation->node->at("responses").contains(key))
    response = &schemas_.resolve(operation->node->at("responses")[key]);
  if (operation) note_seen("operation." + operation->id + "." + key);
  if (!response && status < 400) {
    found.push_back("the contract knows no such answer");
    return labelled();
  }
  if (head || (response && !response->contains("content"))) {
    if (!body.empty()) found.push_back("must have no body");
    return labelled();
  }

  const bool problem = status >= 400;
  const std::string sent(content_type.substr(0, content_type.find(';')));
  const bool is_one_of_them = !problem && response->at("content").contains(sent);
  const std::string media = problem ? "application/problem+json" : is_one_of_them ? sent : response->at("content").begin().key();
  if (!content_type.empty() && sent != media)
    found.push_back("Content-Type must be " + media + ", is " + std::string(content_type));
  if (media.find("json") == std::string::npos || media == "application/x-ndjson") return labelled();

  const json value = json::parse(body, nullptr, false);
  if (value.is_discarded()) {
    found.push_back("the body is not JSON: " + std::string(body.substr(0, 120)));
    return labelled();
  }
  if (problem) {
    json codes = document_["x-common-codes"];
    codes.push_back("not_found");
    if (response && response->contains("x-codes"))
      for (const json& code : (*response)["x-codes"]) codes.push_back(code);
    add(found, check_problem(value, status, codes));
  } else {
    add(found, schemas_.mistakes(response->at("content")[media].at("schema"), value));
  }
  return labelled();
}

bool Contract::is_event(std::string_view type) const { return document_["x-events"].contains(std::string(type)); }

Mistakes Contract::check_event(std::string_view frame) const {
  const json value = json::parse(frame, nullptr, false);
  if (value.is_discarded() || !value.is_object()) return {"not a JSON object: " + std::string(frame.substr(0, 120))};
  const std::string type = value.contains("type") && value["type"].is_string() ? value["type"] : "";
  if (!is_event(type)) return {"no such event in the contract: " + std::string(frame.substr(0, 120))};
  note_seen("event." + type);

  const json& event = document_["x-events"][type];
  Mistakes found = schemas_.mistakes(document_["x-frame"], value);
  if (value.contains("data")) add(found, schemas_.mistakes(event["data"], value["data"], "/data"));
  const bool may_lack_it = event.value("also_unnumbered", false) && !value.contains("seq") &&
                           value.value("/data/message/seq"_json_pointer, 1) == 0;
  if (event["numbered"].get<bool>() != value.contains("seq") && !may_lack_it)
    found.push_back(value.contains("seq") ? "/seq: this event is not numbered" : "/: lacks seq");
  if (value.contains("seq") != value.contains("epoch")) found.push_back("/: seq and epoch stand together");
  if (event["reach"] == "channel" && !value.contains("cid")) found.push_back("/: lacks cid");
  for (std::string& mistake : found) mistake.insert(0, type + " ");
  return found;
}

}  // namespace chat::test
