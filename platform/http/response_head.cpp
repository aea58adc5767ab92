#include "platform/http/response_head.h"

#include <charconv>
#include <ctime>

#include "platform/base/text.h"
#include "platform/http/files.h"

namespace chat::http {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 206: return "Partial Content";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return status < 400 ? "OK" : "Error";
  }
}

/// `Sat, 21 Nov 2026 12:00:00 GMT`, made once a second.
std::string_view date() {
  thread_local std::time_t made_at = -1;
  thread_local char text[40];
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_at = now;
  }
  return text;
}

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits));
}

bool is_reserved(std::string_view name) {
  if (name.size() != 4 && name.size() != 10 && name.size() != 14 && name.size() != 17) return false;
  const std::string lower = text::lower_ascii(name);
  return lower == "date" || lower == "connection" || lower == "content-length" || lower == "transfer-encoding";
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void append_head(std::string& out, const Response& response, std::string_view request_id, bool keep_alive) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  ((out += ' ') += reason(response.status)) += "\r\n";
  if (has_body(response.status)) {
    const auto file = file_of(response);
    if (!response.content_type.empty() && (file || !response.body.empty())) {
      out += "Content-Type: ";
      append_clean(out, response.content_type);
      out += "\r\n";
    }
    out += "Content-Length: ";
    append_number(out, file ? file->length : response.body.size());
    out += "\r\n";
  }
  for (const auto& [name, value] : response.headers) {
    if (is_reserved(name) || name == kFileHeader) continue;
    append_clean(out, name);
    out += ": ";
    append_clean(out, value);
    out += "\r\n";
  }
  out += "X-Request-Id: ";
  append_clean(out, request_id);
  ((out += "\r\nDate: ") += date()) += keep_alive ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
}

}  // namespace chat::http
