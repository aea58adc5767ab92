#include "platform/storage/listing.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

namespace chat::storage {
namespace {

constexpr int kMaxConditions = 50;
constexpr std::size_t kMaxValues = 100;

std::string_view cast_of(FieldType type) {
  switch (type) {
    case FieldType::text: return "text";
    case FieldType::integer: return "bigint";
    case FieldType::boolean: return "boolean";
    case FieldType::time: return "timestamptz";
  }
  return "text";
}

std::string_view comparison_of(std::string_view op) {
  if (op == "$eq") return "=";
  if (op == "$ne") return "is distinct from";
  if (op == "$gt") return ">";
  if (op == "$gte") return ">=";
  if (op == "$lt") return "<";
  if (op == "$lte") return "<=";
  return "";
}

/// The value in PostgreSQL's text form. Errors: invalid_field at `pointer`
std::string value_text(FieldType type, const json::Value& value, const std::string& pointer) {
  if (type == FieldType::text && value.kind() == json::Kind::text) return std::string(value.text());
  if (type == FieldType::integer && value.kind() == json::Kind::integer) return std::to_string(value.integer());
  if (type == FieldType::boolean && value.kind() == json::Kind::boolean) return value.boolean() ? "t" : "f";
  if (type == FieldType::time && value.kind() == json::Kind::text)
    if (auto at = parse_time(value.text())) return format_time(*at);
  static constexpr std::string_view kNames[] = {"a text", "a whole number", "true or false", "an RFC 3339 time"};
  throw invalid_field(pointer, "Must be " + std::string(kNames[static_cast<int>(type)]) + ".");
}

}  // namespace

/// Walks a filter and grows its SQL.
struct Listing::Composer {
  const Listing& listing;
  int parameters;
  std::vector<std::string> values;
  int conditions = 0;

  std::string parameter(std::string value, std::string_view cast) {
    values.push_back(std::move(value));
    return "$" + std::to_string(++parameters) + "::" + std::string(cast);
  }

  std::string all_of(const json::Value& filter, const std::string& pointer, int depth) {
    if (filter.kind() != json::Kind::object) throw invalid_field(pointer, "Must be an object.");
    if (depth > 5) throw invalid_field(pointer, "Filters may nest 5 deep at most.");
    std::string out;
    for (const auto& [name, value] : filter.members()) {
      const std::string at = pointer + "/" + std::string(name);
      if (++conditions > kMaxConditions) throw invalid_field(at, "A filter may hold 50 conditions at most.");
      if (!out.empty()) out += " and ";
      out += name == "$and" || name == "$or" ? group(name == "$or" ? " or " : " and ", value, at, depth)
                                             : field(name, value, at);
    }
    return out.empty() ? "true" : out;
  }

  std::string group(const char* glue, const json::Value& value, const std::string& pointer, int depth) {
    if (value.kind() != json::Kind::array || value.items().empty())
      throw invalid_field(pointer, "Must be a list of filters, not empty.");
    std::string out = "(";
    std::size_t i = 0;
    for (const auto& item : value.items()) {
      if (i > 0) out += glue;
      out += "(" + all_of(item, pointer + "/" + std::to_string(i), depth + 1) + ")";
      ++i;
    }
    return out + ")";
  }

  std::string field(std::string_view name, const json::Value& value, const std::string& pointer) {
    const ListField* field = listing.find(name);
    if (!field) throw invalid_field(pointer, "This list can't be filtered by " + std::string(name) + "." + allowed());
    if (value.kind() != json::Kind::object) return condition(*field, "$eq", value, pointer);
    std::string out;
    for (const auto& [op, operand] : value.members()) {
      if (++conditions > kMaxConditions) throw invalid_field(pointer, "A filter may hold 50 conditions at most.");
      out += (out.empty() ? "" : " and ") + condition(*field, op, operand, pointer + "/" + std::string(op));
    }
    if (out.empty()) throw invalid_field(pointer, "Must hold a value or an operator.");
    return out;
  }

  std::string array(const ListField& field, const json::Value& operand, const std::string& pointer) {
    if (operand.kind() != json::Kind::array || operand.items().size() > kMaxValues)
      throw invalid_field(pointer, "Must be a list of 100 values at most.");
    text::ArrayLiteral literal;
    std::size_t i = 0;
    for (const auto& item : operand.items()) literal.add(value_text(field.type, item, pointer + "/" + std::to_string(i++)));
    return parameter(literal.take(), std::string(cast_of(field.type)) + "[]");
  }

  std::string condition(const ListField& field, std::string_view op, const json::Value& operand, const std::string& pointer) {
    if (!field.any_of.empty()) return membership(field, op, operand, pointer);
    const std::string column(field.column);
    if (op == "$in") return column + " = any (" + array(field, operand, pointer) + ")";
    if (op == "$nin") return "(" + column + " <> all (" + array(field, operand, pointer) + ")) is not false";
    if (op == "$exists") {
      if (operand.kind() != json::Kind::boolean) throw invalid_field(pointer, "Must be true or false.");
      return column + (operand.boolean() ? " is not null" : " is null");
    }
    auto comparison = comparison_of(op);
    if (comparison.empty()) throw invalid_field(pointer, "Unknown operator; see $eq $ne $in $nin $gt $gte $lt $lte $exists.");
    return column + " " + std::string(comparison) + " " +
           parameter(value_text(field.type, operand, pointer), cast_of(field.type));
  }

  std::string membership(const ListField& field, std::string_view op, const json::Value& operand, const std::string& pointer) {
    std::string list;
    if (op == "$in") {
      list = array(field, operand, pointer);
    } else if (op == "$eq") {
      text::ArrayLiteral literal;
      literal.add(value_text(field.type, operand, pointer));
      list = parameter(literal.take(), "text[]");
    } else {
      throw invalid_field(pointer, "Only $eq and $in work on this field.");
    }
    std::string out(field.any_of);
    out.replace(out.find('%'), 1, list);
    return out;
  }

  std::string allowed() const {
    std::string out = " Allowed:";
    for (const auto& field : listing.fields_) out += " " + std::string(field.name);
    return out + ".";
  }
};

const ListField* Listing::find(std::string_view name) const {
  for (const auto& field : fields_)
    if (field.name == name) return &field;
  return nullptr;
}

ListRequest Listing::read(json::Fields& body, const Cursors& cursors, const std::string& owner, int base_parameters) const {
  ListRequest request;
  auto filter = body.find_object("filter");
  auto sort = body.find_array("sort", 1);
  request.limit = static_cast<int>(body.find_integer("limit", {1, 100}).value_or(25));
  auto next = body.find_text("next", {.min_bytes = 1, .max_bytes = 4096});
  for (const auto& field : fields_)
    if (field.sortable && !request.sort) request.sort = &field;
  if (sort && !sort->empty()) {
    json::Fields order(sort->front(), body.pointer("sort") + "/0");
    auto name = order.text("field", {.min_bytes = 1});
    request.descending = order.find_word("order", {"asc", "desc"}).value_or("desc") == "desc";
    const ListField* field = find(name);
    if (!name.empty() && (!field || !field->sortable)) order.mistake("field", "This list can't be sorted by " + name + ".");
    else request.sort = field;
    order.check_unknown();
    body.absorb(order);
  }
  if (!body.ok()) return request;            // finish() will say why
  Composer composer{*this, base_parameters, {}};
  if (filter) request.where = composer.all_of(*filter, body.pointer("filter"), 1);
  request.values = std::move(composer.values);
  request.scope = owner + "|" + crypto::hex(crypto::sha256(filter ? filter->raw() : "")) + "|" +
                  std::string(request.sort->name) + (request.descending ? "|desc" : "|asc");
  if (next) request.after = cursors.open(request.scope, *next, body.pointer("next"));
  return request;
}

Rows Listing::run(Transaction& tx, Params values, const ListRequest& request) const {
  const std::string sort(request.sort->column);
  const std::string id(id_);
  std::string text(base_.text);
  const auto from = text.find("\nfrom ");
  INVARIANT(from != std::string::npos, "a listed statement has its FROM at the start of a line");
  text.insert(from, ", (" + sort + ")::text");
  text += " and (" + request.where + ")";
  for (const auto& value : request.values) values.add(value);
  if (request.after) {
    const auto count = values.values().size();
    values.add(request.after->at(0));
    values.add(request.after->at(1));
    text += " and (" + sort + ", " + id + ") " + (request.descending ? "<" : ">") + " ($" + std::to_string(count + 1) +
            "::" + std::string(cast_of(request.sort->type)) + ", $" + std::to_string(count + 2) + "::uuid)";
  }
  const char* order = request.descending ? " desc" : " asc";
  text += " order by " + sort + order + ", " + id + order + " limit " + std::to_string(request.limit + 1);
  return tx.execute_composed(base_, text, values);
}

std::string Listing::next_cursor(const Rows& rows, const ListRequest& request, const Cursors& cursors) const {
  const Row last = rows[request.limit - 1];
  return cursors.seal(request.scope, {std::string(last.text(last.size() - 1)), std::string(last.text(0))});
}

}  // namespace chat::storage
