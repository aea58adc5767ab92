#include "platform/chat/previews/page.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include <map>
#include <memory>
#include <mutex>

#include "platform/base/text.h"
#include "platform/chat/previews/urls.h"

namespace chat::previews {
namespace {

constexpr std::size_t kMaxContentBytes = 4'096;   // taken of one element or attribute, before it is tidied

std::string_view view(const xmlChar* text) { return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view(); }

/// What is gathered while the parser walks; no tree is built.
struct Reading {
  std::map<std::string, std::string> found;    // by name: title, description, og:title, …; the first of each
  std::string title;
  bool in_title = false;
  xmlParserCtxtPtr parser = nullptr;
};

bool is_wanted(const std::string& name) {
  return name == "description" || name == "og:title" || name == "og:description" || name == "og:image" || name == "og:site_name";
}

void on_start(void* context, const xmlChar* element, const xmlChar** attributes) {
  auto& reading = *static_cast<Reading*>(context);
  const auto name = view(element);
  if (name == "title") reading.in_title = reading.title.empty();
  if (name == "body" && reading.parser) xmlStopParser(reading.parser);
  if (name != "meta" || !attributes) return;
  std::string key, content;
  for (int i = 0; attributes[i]; i += 2) {
    const auto attribute = view(attributes[i]);
    if (attribute == "property" || (attribute == "name" && key.empty())) key = text::lower_ascii(view(attributes[i + 1]).substr(0, 64));
    if (attribute == "content") content = view(attributes[i + 1]).substr(0, kMaxContentBytes);
  }
  if (is_wanted(key) && !content.empty()) reading.found.emplace(key, content);
}

void on_end(void* context, const xmlChar* element) {
  if (view(element) == "title") static_cast<Reading*>(context)->in_title = false;
}

void on_text(void* context, const xmlChar* characters, int length) {
  auto& reading = *static_cast<Reading*>(context);
  if (reading.in_title && reading.title.size() < kMaxContentBytes) reading.title.append(reinterpret_cast<const char*>(characters), static_cast<std::size_t>(length));
}

void ignore(void*, const char*, ...) {}

/// One line, without control characters, at most `max` bytes and no half character.
std::string tidy(std::string_view raw, std::size_t max) {
  std::string out;
  for (char c : raw) {
    const bool is_blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!is_blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.size() > max) out.resize(max);
  while (!out.empty() && !text::is_utf8(out)) out.pop_back();
  return std::string(text::trim(out));
}

bool is_html(std::string_view content_type) {
  const auto type = text::lower_ascii(text::trim(content_type.substr(0, content_type.find(';'))));
  return type == "text/html" || type == "application/xhtml+xml";
}

/// Of `text/html; charset=windows-1252`; null: what the page itself says.
xmlCharEncodingHandlerPtr encoding_of(std::string_view content_type) {
  const auto lower = text::lower_ascii(content_type);
  const auto at = lower.find("charset=");
  if (at == std::string::npos) return nullptr;
  auto name = lower.substr(at + 8);
  name = name.substr(0, name.find_first_of("; "));
  if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.find('"', 1) - 1);
  return name.empty() || name.size() > 32 ? nullptr : xmlFindCharEncodingHandler(name.c_str());
}

void parse(std::string_view html, std::string_view content_type, Reading& reading) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  htmlSAXHandler handler{};
  handler.startElement = on_start;
  handler.endElement = on_end;
  handler.characters = on_text;
  handler.cdataBlock = on_text;
  handler.warning = handler.error = ignore;
  const auto destroy = [](htmlParserCtxtPtr context) { htmlFreeParserCtxt(context); };
  const std::unique_ptr<htmlParserCtxt, decltype(destroy)> parser(
      htmlCreatePushParserCtxt(&handler, &reading, nullptr, 0, nullptr, XML_CHAR_ENCODING_NONE), destroy);
  if (!parser) return;
  reading.parser = parser.get();
  htmlCtxtUseOptions(parser.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
  if (auto encoding = encoding_of(content_type)) xmlSwitchToEncoding(parser.get(), encoding);
  htmlParseChunk(parser.get(), html.data(), static_cast<int>(html.size()), 1);
  reading.parser = nullptr;
}

}  // namespace

std::optional<Page> read_page(std::string_view html, std::string_view content_type) {
  if (!is_html(content_type)) return std::nullopt;
  Reading reading;
  parse(html.substr(0, kMaxPageBytes), content_type, reading);
  auto take = [&](const char* first, const char* second, std::size_t max) -> std::optional<std::string> {
    for (const char* name : {first, second})
      if (auto found = reading.found.find(name); found != reading.found.end())
        if (auto tidied = tidy(found->second, max); !tidied.empty()) return tidied;
    return std::nullopt;
  };
  const auto title = take("og:title", "og:title", kMaxTitleBytes);
  Page page{title ? *title : tidy(reading.title, kMaxTitleBytes), take("og:description", "description", kMaxDescriptionBytes),
            take("og:site_name", "og:site_name", kMaxSiteBytes), std::nullopt};
  if (page.title.empty()) return std::nullopt;
  if (auto image = take("og:image", "og:image", kMaxUrlBytes))
    if (const auto urls = find_urls(*image); urls.size() == 1 && urls.front() == *image) page.image = image;
  return page;
}

}  // namespace chat::previews
