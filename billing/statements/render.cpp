#include <algorithm>

#include "billing/statements/statements.h"
#include "platform/base/text.h"

namespace chat::statements {
namespace {

/// ISO 4217's currencies whose minor unit is not a hundredth.
int digits_of(const std::string& currency) {
  static const std::vector<std::string> kNone{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
  static const std::vector<std::string> kThree{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
  if (std::find(kNone.begin(), kNone.end(), currency) != kNone.end()) return 0;
  return std::find(kThree.begin(), kThree.end(), currency) != kThree.end() ? 3 : 2;
}

/// 123456 of EUR is "1234.56 EUR".
std::string money(std::int64_t amount, const std::string& currency) {
  const auto digits = static_cast<std::size_t>(digits_of(currency));
  std::string text = std::to_string(amount < 0 ? -amount : amount);
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  if (digits > 0) text.insert(text.size() - digits, ".");
  return (amount < 0 ? "-" : "") + text + (currency.empty() ? "" : " " + currency);
}

std::string cell(std::string_view text) {
  std::string quoted = "\"";
  // A sheet takes what begins so for a formula.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) quoted += '\'';
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string text_of(const json::Value& line, std::string_view name) {
  const auto found = line.find(name);
  if (!found) return "";
  return found->kind() == json::Kind::text ? std::string(found->text()) : found->raw();
}

std::string number_text(const Statement& statement) { return statement.number ? std::to_string(*statement.number) : ""; }

constexpr const char* kStyle =
    "body{font:14px/1.5 sans-serif;max-width:50em;margin:3em auto;padding:0 1em;color:#111}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.4em .6em;border-bottom:1px solid #ccc}td:last-child,th:last-child{text-align:right;white-space:nowrap}"
    "tfoot td{font-weight:bold;border-bottom:3px double #111}.void{color:#b00}@media print{body{margin:0}}";

}  // namespace

std::string statement_json(const Statement& statement) {
  json::Writer out;
  out.object();
  if (statement.id) out.field("statement_id", statement.id->wire());
  if (statement.number) out.field("number", *statement.number);
  out.field("app_id", statement.app.wire()).field("name", statement.name).field("month", statement.period.substr(0, 7)).field("state", statement.state);
  if (!statement.currency.empty()) out.field("currency", statement.currency);
  out.key("lines").raw(statement.lines_json).field("total", statement.total).optional_time("finalized_at", statement.finalized_at)
      .optional_time("voided_at", statement.voided_at).optional_field("void_reason", statement.void_reason).end();
  return out.take();
}

std::string statement_csv(const Statement& statement) {
  std::string out = "number,month,state,kind,description,plan,plan_version,first_day,last_day,days,meter,quantity,included,unit_price,amount,currency\r\n";
  const auto head = number_text(statement) + "," + statement.period.substr(0, 7) + "," + statement.state + ",";
  const auto lines = json::Document::parse(statement.lines_json);
  for (const auto& line : lines.root().items()) {
    out += head + text_of(line, "kind") + "," + cell(text_of(line, "description"));
    for (const auto* name : {"plan", "plan_version", "first_day", "last_day", "days", "meter", "quantity", "included", "unit_price", "amount"})
      out += "," + text_of(line, name);
    out += "," + statement.currency + "\r\n";
  }
  return out + head + "total,,,,,,,,,,," + std::to_string(statement.total) + "," + statement.currency + "\r\n";
}

std::string statement_html(const Statement& statement) {
  const auto month = statement.period.substr(0, 7);
  const auto title = "Statement " + (statement.number ? "No. " + number_text(statement) : "(draft)") + ", " + month;
  std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title + "</title><style>" + kStyle +
                    "</style></head><body><h1>" + title + "</h1><p>" + escaped(statement.name) + " (" + statement.app.wire() + ")</p>";
  if (statement.finalized_at) out += "<p>Final since " + format_time(*statement.finalized_at).substr(0, 10) + "</p>";
  if (statement.voided_at) out += "<p class=\"void\">Void: " + escaped(statement.void_reason.value_or("")) + "</p>";
  out += "<table><thead><tr><th>What</th><th>Days</th><th>Amount</th></tr></thead><tbody>";
  const auto lines = json::Document::parse(statement.lines_json);
  for (const auto& line : lines.root().items()) {
    const auto first = text_of(line, "first_day");
    out += "<tr><td>" + escaped(text_of(line, "description")) + "</td><td>" + (first.empty() ? "" : first + " to " + text_of(line, "last_day")) + "</td><td>" +
           money(line.find("amount")->integer(), statement.currency) + "</td></tr>";
  }
  return out + "</tbody><tfoot><tr><td colspan=\"2\">Total</td><td>" + money(statement.total, statement.currency) +
         "</td></tr></tfoot></table></body></html>\n";
}

}  // namespace chat::statements
