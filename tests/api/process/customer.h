#pragma once
#include <string>
#include <vector>

#include "tests/api/process/child.h"
#include "tests/support/http_client.h"

namespace chat::test {

/// An application of a chatd in a process of its own, with the user alice.
struct Customer {
  std::string app_id, key, secret;
  [[nodiscard]] HttpHeaders headers(const std::string& user) const;   // "": the backend's
};

/// On a plan of the application's name, without limits; alice has opened the channels messaging:<each>.
Customer make_customer(const Child& child, const std::string& name, const std::vector<std::string>& channels);

}  // namespace chat::test
