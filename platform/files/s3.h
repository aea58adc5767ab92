#pragma once
#include <memory>
#include <string>
#include <vector>

#include "platform/files/files.h"
#include "platform/outbound/address.h"

/// A store that speaks S3: Amazon's, MinIO, Ceph, and others.
namespace chat::files {

struct S3Options {
  std::string endpoint;                        // "https://s3.eu-central-1.amazonaws.com", as clients reach it, too
  std::string region, bucket, access_key, secret_key;
  bool path_style = false;                     // the bucket in the path instead of in the host's name
  std::vector<outbound::Network> networks;     // that may be called although they are not public
  std::string scratch;                         // folder for what is being looked at
};

/// What is brought lies under a key of its own until `keep` copies exactly the version that was looked at: whoever holds a link
/// to bring bytes can't change them afterwards.
/// Errors:  unavailable (the scratch folder can't be made)
std::unique_ptr<Store> open_s3(const S3Options& options);

}  // namespace chat::files
