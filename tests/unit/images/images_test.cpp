#include <catch2/catch.hpp>
#include <turbojpeg.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include <vector>

#include "platform/images/images.h"
#include "tests/support/pictures.h"

using namespace chat;
using namespace chat::test;

namespace {

constexpr std::int64_t kEnough = 50'000'000;

struct Rgb {
  int red, green, blue;
};
/// The colour of a pixel of a WebP, its place given in parts of the sides.
Rgb colour_at(const std::string& webp, double x, double y) {
  int width = 0, height = 0;
  std::uint8_t* pixels = WebPDecodeRGB(reinterpret_cast<const std::uint8_t*>(webp.data()), webp.size(), &width, &height);
  REQUIRE(pixels != nullptr);
  const auto* pixel = pixels + (static_cast<int>(y * height) * width + static_cast<int>(x * width)) * 3;
  const Rgb colour{pixel[0], pixel[1], pixel[2]};
  WebPFree(pixels);
  return colour;
}

/// A JPEG whose upper left quarter is red, upper right green, lower left blue, lower right white; turned as EXIF says.
std::string jpeg(int width, int height, int orientation = 0, int flags = 0) {
  std::vector<unsigned char> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool left = x < width / 2, upper = y < height / 2;
      pixels.push_back((left && upper) || (!left && !upper) ? 255 : 0);
      pixels.push_back(!left ? 255 : 0);
      pixels.push_back(!upper ? 255 : 0);
    }
  tjhandle handle = tjInitCompress();
  unsigned char* made = nullptr;
  unsigned long size = 0;
  REQUIRE(tjCompress2(handle, pixels.data(), width, 0, height, TJPF_RGB, &made, &size, TJSAMP_444, 95, flags) == 0);
  std::string bytes(reinterpret_cast<char*>(made), size);
  tjFree(made);
  tjDestroy(handle);
  if (orientation == 0) return bytes;
  std::string exif("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 25);
  exif += static_cast<char>(orientation);
  exif += std::string("\0\0\0\0\0\0", 6);
  const auto length = static_cast<std::uint16_t>(exif.size() + 2);
  return bytes.substr(0, 2) + "\xFF\xE1" + static_cast<char>(length >> 8) + static_cast<char>(length) + exif + bytes.substr(2);
}

bool is_red(const Rgb& c) { return c.red > 200 && c.green < 60 && c.blue < 60; }
bool is_white(const Rgb& c) { return c.red > 200 && c.green > 200 && c.blue > 200; }

}  // namespace

TEST_CASE("images: what a file is stands in its bytes", "[unit][images]") {
  CHECK(images::sniff(png(3, 3)) == "image/png");
  CHECK(images::sniff(jpeg(8, 8)) == "image/jpeg");
  CHECK(images::sniff("<!DOCTYPE html><html><body>") == "text/html");
  CHECK(images::sniff("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n") == "application/pdf");
  CHECK(images::sniff(std::string("\x01\x02\x99\xFE\x03\x04", 6)) == "application/octet-stream");
  CHECK(images::sniff("") == "application/octet-stream");
}

TEST_CASE("images: thumbnails fit their boxes and are never larger than the image", "[unit][images]") {
  const auto wide = images::look_at(jpeg(1000, 500), "image/jpeg", kEnough);
  CHECK(wide.width == 1000);
  REQUIRE(wide.thumbnails.size() == 2);
  CHECK((wide.thumbnails[0].width == 160 && wide.thumbnails[0].height == 80));
  CHECK((wide.thumbnails[1].width == 480 && wide.thumbnails[1].height == 240));
  CHECK(is_red(colour_at(wide.thumbnails[1].bytes, 0.2, 0.2)));
  CHECK(is_white(colour_at(wide.thumbnails[1].bytes, 0.8, 0.8)));
  const auto tiny = images::look_at(png(20, 10), "image/png", kEnough);
  REQUIRE(tiny.thumbnails.size() == 1);
  CHECK((tiny.thumbnails[0].width == 20 && tiny.thumbnails[0].height == 10));
  CHECK(is_red(colour_at(tiny.thumbnails[0].bytes, 0.2, 0.5)));
  const auto thin = images::look_at(png(2000, 1), "image/png", kEnough);
  CHECK((thin.thumbnails.at(1).width == 480 && thin.thumbnails[1].height == 1));
  const auto progressive = images::look_at(jpeg(600, 600, 0, TJFLAG_PROGRESSIVE), "image/jpeg", kEnough);
  CHECK(progressive.thumbnails.size() == 2);
}

TEST_CASE("images: EXIF turns a picture, whichever of its eight ways", "[unit][images]") {
  // Where the red quarter (0th row, 0th column of what is stored) is to be seen, by EXIF 2.3, 4.6.4 A.
  const double red_at[9][2] = {{}, {0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}, {0.25, 0.75}, {0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}, {0.25, 0.75}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const auto picture = images::look_at(jpeg(400, 200, orientation), "image/jpeg", kEnough);
    CHECK(picture.width == (orientation < 5 ? 400 : 200));
    CHECK(picture.height == (orientation < 5 ? 200 : 400));
    REQUIRE(picture.thumbnails.size() == 2);
    CHECK(picture.thumbnails[0].width == (orientation < 5 ? 160 : 80));
    CHECK(is_red(colour_at(picture.thumbnails[0].bytes, red_at[orientation][0], red_at[orientation][1])));
    CHECK(is_white(colour_at(picture.thumbnails[0].bytes, 1 - red_at[orientation][0], 1 - red_at[orientation][1])));
    CHECK(picture.thumbnails[0].bytes.find("Exif") == std::string::npos);
  }
  const auto wrong = images::look_at(jpeg(400, 200, 77), "image/jpeg", kEnough);
  CHECK(wrong.width == 400);
}

TEST_CASE("images: nothing is decoded that claims more pixels than allowed", "[unit][images]") {
  const auto bomb = images::look_at(png(4, 4, {50'000, 50'000}), "image/png", kEnough);
  CHECK(bomb.too_large);
  CHECK(bomb.thumbnails.empty());
  CHECK_FALSE(images::look_at(png(100, 100), "image/png", 10'000).too_large);
  CHECK(images::look_at(png(100, 100), "image/png", 9'999).too_large);
  CHECK(images::look_at(std::string("GIF89a\xFF\xFF\xFF\xFF", 10), "image/gif", kEnough).too_large);
}

TEST_CASE("images: a lie about the size or a damaged file gives no thumbnail and does no harm", "[unit][images]") {
  CHECK(images::look_at(png(4, 4, {400, 400}), "image/png", kEnough).thumbnails.empty());
  CHECK(images::look_at("", "image/png", kEnough).width == 0);
  CHECK(images::look_at("not an image", "image/jpeg", kEnough).width == 0);
  CHECK(images::look_at(png(10, 10), "text/html", kEnough).width == 0);
  std::uint8_t* made = nullptr;
  const std::vector<std::uint8_t> pixels(300 * 200 * 4, 128);
  const auto size = WebPEncodeRGBA(pixels.data(), 300, 200, 300 * 4, 80, &made);
  const std::string webp(reinterpret_cast<char*>(made), size);
  WebPFree(made);
  CHECK(images::look_at(webp, "image/webp", kEnough).thumbnails.size() == 2);
  for (const auto& [file, type] : {std::pair{jpeg(64, 64, 6), "image/jpeg"}, {png(40, 40), "image/png"}, {webp, "image/webp"}}) {
    for (std::size_t cut = 0; cut < file.size(); cut += 1 + file.size() / 97) {
      images::look_at(file.substr(0, cut), type, kEnough);
      auto damaged = file;
      damaged[cut] = static_cast<char>(damaged[cut] ^ 0x5A);
      images::look_at(damaged, type, 1'000'000);
    }
  }
  SUCCEED("nothing broke");
}
