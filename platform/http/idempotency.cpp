#include "platform/http/idempotency.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/http/idempotency.sql.h"

namespace chat::http {
namespace {

constexpr std::size_t kMaxKeyBytes = 255;

Error bad_key() {
  return invalid_field("header:idempotency-key", "must be 1 to 255 printable ASCII characters, quoted or bare");
}

std::string unquote(std::string_view text) {
  if (text.size() < 2 || text.back() != '"') throw bad_key();
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') throw bad_key();
    if (text[i] == '\\' && (++i == text.size() || (text[i] != '"' && text[i] != '\\'))) throw bad_key();
    plain += text[i];
  }
  return plain;
}

/// Length first, so that no two lists of pieces give the same bytes.
void append_piece(std::string& out, std::string_view piece) { (out += std::to_string(piece.size()) += ':') += piece; }

Response replay(const storage::Row& row) {
  Response response = json(static_cast<int>(row.integer(1)), std::string(row.text(3)));
  response.content_type = row.text(2);
  return std::move(response.with("Idempotency-Replayed", "true"));
}

}  // namespace

std::optional<std::string> idempotency_key(const Request& request) {
  const auto header = request.header("idempotency-key");
  if (!header) return std::nullopt;
  const std::string_view text = text::trim(*header);
  std::string key = text.starts_with('"') ? unquote(text) : std::string(text);
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  if (key.empty() || key.size() > kMaxKeyBytes || !printable) throw bad_key();
  return key;
}

std::string fingerprint(const Request& request) {
  std::string all;
  all.reserve(request.body.size() + request.path.size() + 128);
  append_piece(all, word(request.method));
  append_piece(all, request.path);
  for (const auto& [name, value] : request.query) {
    append_piece(all, name);
    append_piece(all, value);
  }
  append_piece(all, request.body);
  return crypto::sha256(all);
}

Response once(storage::Transaction& tx, const IdempotentCall& call, const std::function<Response()>& act) {
  const AppId app = tx.app();
  std::string name = app.text();
  for (const auto* piece : {&call.principal, &call.operation, &call.key}) append_piece(name, *piece);
  // The lock first: under READ COMMITTED the look-up after it sees what a finished twin committed.
  if (!tx.query(sql::lock_key, name)[0].boolean(0))
    throw Error(Code::idempotency_running, "A request with this Idempotency-Key is still running.")
        .with_retry_after(std::chrono::seconds(1));
  if (const auto kept = tx.find(sql::find_answer, app, call.principal, call.operation, call.key)) {
    if ((*kept)[0].bytes(0) != call.fingerprint)
      throw Error(Code::idempotency_mismatch, "This Idempotency-Key was used for another request.");
    if (call.answers_secret)
      throw Error(Code::conflict, "This was done already under this Idempotency-Key; its answer held a secret, which is shown once.");
    return replay((*kept)[0]);
  }
  Response response = act();
  if (tx.app() != app) tx.enter(app);   // the operator's door acts for others; the key stays its own
  if (response.status < 500)
    tx.run(sql::keep_answer, app, call.principal, call.operation, call.key, crypto::hex(call.fingerprint),
           response.status, response.content_type, call.answers_secret ? "" : response.body);
  return response;
}

std::int64_t sweep_idempotency_keys(storage::Transaction& tx, int limit) {
  return tx.query(sql::sweep_keys, limit)[0].integer(0);
}

}  // namespace chat::http
