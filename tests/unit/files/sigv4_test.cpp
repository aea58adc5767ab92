#include <catch2/catch.hpp>

#include "platform/files/sigv4.h"

using namespace chat;

TEST_CASE("files: a presigned GET has the signature of AWS's own example", "[unit][files]") {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  const files::Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"};
  const files::ToSign request{"GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, {}};
  const auto now = *parse_time("2013-05-24T00:00:00.000000Z");
  CHECK(files::presign(credentials, request, now, std::chrono::seconds(86'400)) ==
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_CASE("files: whatever is signed changes the signature", "[unit][files]") {
  const files::Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"};
  const auto now = *parse_time("2013-05-24T00:00:00.000000Z");
  auto signature = [&](const files::ToSign& request) {
    const auto query = files::presign(credentials, request, now, std::chrono::seconds(60));
    return query.substr(query.rfind('=') + 1);
  };
  const files::ToSign plain{"PUT", "a.example", "/b/c", {}, {}};
  auto changed = plain;
  changed.method = "GET";
  CHECK(signature(changed) != signature(plain));
  changed = plain;
  changed.path = "/b/d";
  CHECK(signature(changed) != signature(plain));
  changed = plain;
  changed.headers = {{"content-length", "5"}};
  CHECK(signature(changed) != signature(plain));
  changed = plain;
  changed.query = {{"response-content-type", "text/plain"}};
  CHECK(signature(changed) != signature(plain));
}
