#include "platform/files/sigv4.h"

#include "platform/base/crypto.h"
#include "platform/base/text.h"

namespace chat::files {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

/// 20130524T000000Z
std::string stamp_of(Timestamp now) {
  const auto text = format_time(std::chrono::floor<std::chrono::seconds>(now));   // 2013-05-24T00:00:00.000000Z
  std::string stamp;
  for (const char c : text.substr(0, 19))
    if (c != '-' && c != ':') stamp += c;
  return stamp + "Z";
}

std::string canonical_query(const std::map<std::string, std::string>& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) out += '&';
    out += text::percent_encode(name) + "=" + text::percent_encode(value);
  }
  return out;
}

std::string signing_key(const Credentials& credentials, const std::string& day) {
  auto key = crypto::hmac_sha256("AWS4" + credentials.secret_key, day);
  key = crypto::hmac_sha256(key, credentials.region);
  key = crypto::hmac_sha256(key, "s3");
  return crypto::hmac_sha256(key, "aws4_request");
}

}  // namespace

std::string encode_path(std::string_view path) {
  std::string out;
  for (const char c : path) out += c == '/' ? "/" : text::percent_encode(std::string_view(&c, 1));
  return out;
}

std::string presign(const Credentials& credentials, const ToSign& request, Timestamp now, std::chrono::seconds valid) {
  const auto stamp = stamp_of(now);
  const auto day = stamp.substr(0, 8);
  const auto scope = day + "/" + credentials.region + "/s3/aws4_request";
  auto headers = request.headers;
  headers["host"] = request.host;
  std::string names, lines;
  for (const auto& [name, value] : headers) {
    names += (names.empty() ? "" : ";") + name;
    lines += name + ":" + value + "\n";
  }
  auto query = request.query;
  query["X-Amz-Algorithm"] = kAlgorithm;
  query["X-Amz-Credential"] = credentials.access_key + "/" + scope;
  query["X-Amz-Date"] = stamp;
  query["X-Amz-Expires"] = std::to_string(valid.count());
  query["X-Amz-SignedHeaders"] = names;
  const auto canonical = std::string(request.method) + "\n" + request.path + "\n" + canonical_query(query) + "\n" + lines + "\n" + names +
                         "\nUNSIGNED-PAYLOAD";
  const auto to_sign = std::string(kAlgorithm) + "\n" + stamp + "\n" + scope + "\n" + crypto::hex(crypto::sha256(canonical));
  return canonical_query(query) + "&X-Amz-Signature=" + crypto::hex(crypto::hmac_sha256(signing_key(credentials, day), to_sign));
}

}  // namespace chat::files
