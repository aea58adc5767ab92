#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a file is, told by its bytes, and what an image looks like when it is small.
/// Source:  ops/decisions/0020-images-with-three-decoders.md
namespace chat::images {

inline constexpr std::size_t kSniffedBytes = 64 * 1024;

/// The media type of a file that begins with `head` (its first kSniffedBytes). "application/octet-stream": nobody knows.
/// Thread:  any.
std::string sniff(std::string_view head);

/// A small copy: upright, without metadata, WebP.
struct Thumbnail {
  int box = 0;                                 // fits into box x box
  int width = 0, height = 0;
  std::string bytes;
};
struct Picture {
  int width = 0, height = 0;                   // upright; 0: nobody could tell
  std::vector<Thumbnail> thumbnails;           // by size; none: not of a kind that is decoded, or damaged
  bool too_large = false;                      // more pixels than allowed: nothing was decoded
};

inline constexpr int kBoxes[] = {160, 480};

/// Looks at an image: JPEG, PNG and WebP are decoded; of GIF and moving WebP the size is read.
///
/// Units:   max_pixels: width x height as the file claims them, read before anything is decoded.
/// Cost:    at most about 6 bytes of memory a pixel; some 20 ms a megapixel.
/// Thread:  any.
Picture look_at(std::string_view file, std::string_view media_type, std::int64_t max_pixels);

}  // namespace chat::images
