#pragma once
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "platform/base/clock.h"

/// AWS Signature Version 4, of requests whose URL carries the signature.
/// Source:  https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
namespace chat::files {

struct Credentials {
  std::string access_key, secret_key, region;
};

struct ToSign {
  std::string_view method;
  std::string host;                            // with the port, if it is not the scheme's own
  std::string path;                            // encoded: "/bucket/key"
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // to be signed besides host; names in lower case
};

/// The query of the signed request, encoded.
std::string presign(const Credentials& credentials, const ToSign& request, Timestamp now, std::chrono::seconds valid);

/// Percent-encoding as the signature wants it: all but A-Z a-z 0-9 - . _ ~, and '/' where it parts a path.
std::string encode_path(std::string_view path);

}  // namespace chat::files
