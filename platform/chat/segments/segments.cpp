#include "platform/chat/segments/segments.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/segments/filter.h"
#include "platform/chat/segments/segments.sql.h"

namespace chat::segments {
namespace {

Segment read_row(const storage::Row& row) {
  return {SegmentId{row.uuid(0)}, std::string(row.text(1)), parse_of(row.text(2)), row.optional_text(3), row.optional_text(4), row.time(5), row.time(6)};
}

Error taken() { return Error(Code::already_exists, "Another segment has this name.", {{"#/name", "Taken."}}); }

std::string array_of(const std::vector<std::string>& texts) {
  text::ArrayLiteral array;
  for (const auto& text : texts) array.add(text);
  return array.take();
}

std::vector<Target> read_rows(const storage::Rows& rows) {
  std::vector<Target> targets;
  targets.reserve(static_cast<std::size_t>(rows.size()));
  for (auto row : rows) targets.push_back({row.uuid(0), std::string(row.text(1))});
  return targets;
}

std::vector<Target> find_targets(storage::Transaction& tx, Of of, const std::vector<std::string>& names) {
  return read_rows(tx.query(of == Of::users ? sql::find_user_targets : sql::find_channel_targets, tx.app(), array_of(names)));
}

/// Their ids. Errors: not_found, naming those that are not there
std::string known(storage::Transaction& tx, Of of, const std::vector<std::string>& names) {
  const auto found = find_targets(tx, of, names);
  std::vector<FieldError> missing;
  text::ArrayLiteral ids;
  for (const auto& target : found) ids.add(target.id.text());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::ranges::none_of(found, [&](const Target& target) { return target.name == names[i]; }))
      missing.push_back({"#/targets/" + std::to_string(i), of == Of::users ? "No such user." : "No such channel."});
  if (!missing.empty()) throw Error(Code::not_found, "Some targets do not exist.", std::move(missing));
  return ids.take();
}

int insert_targets(storage::Transaction& tx, const Segment& segment, const std::vector<std::string>& targets, Timestamp now) {
  if (targets.empty()) return 0;
  const auto ids = known(tx, segment.of, targets);
  const int added = tx.query(sql::insert_targets, tx.app(), segment.id, ids, segment.of == Of::channels, now).size();
  if (tx.query(sql::count_targets, tx.app(), segment.id)[0].integer(0) > kMaxTargets)
    throw Error(Code::limit_reached, "A list may hold 10,000; a saved filter has no end.");
  return added;
}

Segment lock_list(storage::Transaction& tx, SegmentId id) {
  auto segment = lock_segment(tx, id);
  if (segment.filter) throw Error(Code::conflict, "This segment is a saved filter: whoever fits it is in it.");
  return segment;
}

}  // namespace

std::string_view word(Of of) { return of == Of::users ? "users" : "channels"; }
Of parse_of(std::string_view word) { return word == "channels" ? Of::channels : Of::users; }

std::string segment_json(const Segment& segment) {
  json::Writer out;
  out.object().field("id", segment.id.wire()).field("name", segment.name).field("of", word(segment.of));
  if (segment.filter) out.key("filter").raw(*segment.filter);
  out.optional_field("description", segment.description).key("created_at").time(segment.created_at).key("updated_at").time(segment.updated_at).end();
  return out.take();
}

Segment create_segment(storage::Transaction& tx, const SegmentInput& input, Timestamp now) {
  if (input.filter) check_filter(input.of, *input.filter, "#");
  tx.query(sql::hold_segments, tx.app());
  if (tx.query(sql::count_segments, tx.app())[0].integer(0) >= kMaxSegments)
    throw Error(Code::limit_reached, "An application may have 1,000 segments; delete one first.");
  const auto id = SegmentId::make(now);
  if (!tx.find(sql::insert_segment, tx.app(), id, input.name, word(input.of), input.filter, input.description, now)) throw taken();
  auto made = get_segment(tx, id);
  insert_targets(tx, made, input.targets, now);
  return made;
}

Segment get_segment(storage::Transaction& tx, SegmentId id) {
  auto rows = tx.find(sql::get_segment, tx.app(), id);
  if (!rows) throw not_found("segment");
  return read_row((*rows)[0]);
}

Segment lock_segment(storage::Transaction& tx, SegmentId id) {
  auto rows = tx.find(sql::lock_segment, tx.app(), id);
  if (!rows) throw not_found("segment");
  return read_row((*rows)[0]);
}

storage::Page<Segment> list_segments(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                                     const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|segments";
  std::optional<std::string> before;
  if (cursor) before = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = tx.query(sql::list_segments, tx.app(), limit + 1, before);
  storage::Page<Segment> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_row(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

Segment update_segment(storage::Transaction& tx, SegmentId id, const SegmentChange& change, Timestamp now) {
  const auto segment = lock_segment(tx, id);
  if (change.filter && !segment.filter) throw invalid_field("#/set/filter", "This segment is a list: add targets, or make another one.");
  if (change.filter) check_filter(segment.of, *change.filter, "#/set");
  if (change.name && tx.find(sql::is_segment_named, tx.app(), id, *change.name))
    throw Error(Code::already_exists, "Another segment has this name.", {{"#/set/name", "Taken."}});
  tx.run(sql::update_segment, tx.app(), id, change.name, change.filter, change.description, change.unset_description, now);
  return get_segment(tx, id);
}

void delete_segment(storage::Transaction& tx, SegmentId id) {
  lock_segment(tx, id);
  if (tx.find(sql::is_segment_used, tx.app(), id)) throw Error(Code::conflict, "A campaign that is not over writes to this segment.");
  tx.run(sql::delete_segment_targets, tx.app(), id);
  tx.run(sql::delete_segment, tx.app(), id);
}

int add_targets(storage::Transaction& tx, SegmentId id, const std::vector<std::string>& targets, Timestamp now) {
  return insert_targets(tx, lock_list(tx, id), targets, now);
}

int remove_targets(storage::Transaction& tx, SegmentId id, const std::vector<std::string>& targets) {
  const auto segment = lock_list(tx, id);
  text::ArrayLiteral ids;
  for (const auto& target : find_targets(tx, segment.of, targets)) ids.add(target.id.text());
  return tx.run(sql::remove_targets, tx.app(), id, ids.take());
}

std::vector<Target> read_targets(storage::Transaction& tx, const Segment& segment, const std::optional<Uuid>& after, int limit) {
  const auto place = after.value_or(Uuid{});
  const auto in_order = [&](const storage::Statement& base, const std::string& more, std::string_view key) {
    return std::string(base.text) + more + " order by " + std::string(key) + " limit " + std::to_string(limit);
  };
  if (segment.filter) {
    const auto asked = compose_filter(segment.of, *segment.filter, "#");
    auto values = storage::Params::of(tx.app(), segment.id, place);
    for (const auto& value : asked.values) values.add(value);
    const auto& base = filtered(segment.of);
    return read_rows(tx.execute_composed(base, in_order(base, " and (" + asked.where + ")", segment.of == Of::users ? "u.id" : "s.id"), values));
  }
  const auto& base = segment.of == Of::users ? sql::listed_users : sql::listed_channels;
  return read_rows(tx.execute_composed(base, in_order(base, "", "t.target_id"), storage::Params::of(tx.app(), segment.id, place)));
}

storage::Page<Target> list_targets(storage::Transaction& tx, const Segment& segment, int limit, const std::optional<std::string>& cursor,
                                   const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|segment_targets|" + segment.id.text() + "|" + format_time(segment.updated_at);
  std::optional<Uuid> after;
  if (cursor) after = Uuid::parse(cursors.open(scope, *cursor, "query:next").at(0));
  storage::Page<Target> page;
  page.items = read_targets(tx, segment, after, limit + 1);
  if (page.items.size() > static_cast<std::size_t>(limit)) {
    page.items.pop_back();
    page.next = cursors.seal(scope, {page.items.back().id.text()});
  }
  return page;
}

Preview preview(storage::Transaction& tx, const Segment& segment, int samples) {
  Preview shown;
  if (segment.filter) {
    const auto asked = compose_filter(segment.of, *segment.filter, "#");
    auto values = storage::Params::of(tx.app(), segment.id, Uuid{});
    for (const auto& value : asked.values) values.add(value);
    const auto& base = filtered(segment.of);
    const std::string counted = "select count(*) from (" + std::string(base.text) + " and (" + asked.where + ") limit " + std::to_string(kMaxCounted + 1) + ") c";
    shown.count = tx.execute_composed(base, counted, values)[0].integer(0);
  } else {
    const auto& base = segment.of == Of::users ? sql::listed_users : sql::listed_channels;
    shown.count = tx.execute_composed(base, "select count(*) from (" + std::string(base.text) + ") c", storage::Params::of(tx.app(), segment.id, Uuid{}))[0].integer(0);
  }
  shown.is_exact = shown.count <= kMaxCounted;
  shown.count = std::min(shown.count, kMaxCounted);
  if (samples > 0) shown.samples = read_targets(tx, segment, std::nullopt, samples);
  return shown;
}

std::string preview_json(Of of, const Preview& preview) {
  json::Writer out;
  out.object().field("of", word(of)).field("count", preview.count).key("exact").boolean(preview.is_exact).key("samples").array();
  for (const auto& sample : preview.samples) out.text(sample.name);
  out.end().end();
  return out.take();
}

std::vector<exports::Section> export_sections() { return {exports::section("segment", sql::export_segments)}; }

}  // namespace chat::segments
