#include "platform/chat/uploads/uploads_export.h"

#include "platform/base/json.h"
#include "platform/chat/uploads/uploads.h"
#include "platform/chat/uploads/uploads.sql.h"

namespace chat::uploads {
namespace {

constexpr int kPage = 200;

exports::Page read(storage::Transaction& tx, UserId user, const std::string& after) {
  exports::Page page;
  auto rows = tx.query(sql::export_uploads, tx.app(), user, after, kPage);
  for (auto row : rows) {
    const auto item = json::Document::parse(row.text(1));
    json::Writer out;
    out.object().field("id", UploadId{row.uuid(0)}.wire());
    for (const auto& [name, value] : item.root().members()) out.key(name).raw(value.raw());
    out.end();
    page.items.push_back(out.take());
  }
  if (rows.size() == kPage) page.next = rows[kPage - 1].text(0);
  return page;
}

}  // namespace

exports::Section export_section() { return {"upload", read}; }

}  // namespace chat::uploads
