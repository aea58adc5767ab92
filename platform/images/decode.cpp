#include <png.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>
#include <type_traits>

#include "platform/images/pixels.h"

namespace chat::images {
namespace {

const std::uint8_t* in(std::string_view file) { return reinterpret_cast<const std::uint8_t*>(file.data()); }

std::size_t bytes_of(int width, int height) { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4; }

struct Decompressor {
  tjhandle handle = tjInitDecompress();
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() {
    if (handle != nullptr) tjDestroy(handle);
  }
  [[nodiscard]] std::optional<Size> size(std::string_view file) const {
    int width = 0, height = 0, subsampling = 0, colours = 0;
    if (handle == nullptr ||
        tjDecompressHeader3(handle, in(file), static_cast<unsigned long>(file.size()), &width, &height, &subsampling, &colours) != 0)
      return std::nullopt;
    return Size{width, height};
  }
};

struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
  ~PngImage() { png_image_free(this); }
  bool begin(std::string_view file) { return png_image_begin_read_from_memory(this, file.data(), file.size()) != 0; }
};

/// The smallest of the sizes that the decoder makes at no cost and that keeps enough of the image.
Size scaled(Size whole, int box) {
  int count = 0;
  const tjscalingfactor* factors = tjGetScalingFactors(&count);
  Size best = whole;
  for (int i = 0; i < count; ++i) {
    const Size size{TJSCALED(whole.width, factors[i]), TJSCALED(whole.height, factors[i])};
    if (std::max(size.width, size.height) >= 2 * box && size.width < best.width) best = size;
  }
  return best;
}

}  // namespace

std::optional<Size> jpeg_size(std::string_view file) { return Decompressor().size(file); }

std::optional<Pixels> decode_jpeg(std::string_view file, int box) {
  Decompressor decompressor;
  const auto whole = decompressor.size(file);
  if (!whole) return std::nullopt;
  const Size size = scaled(*whole, box);
  Pixels pixels{size.width, size.height, std::vector<std::uint8_t>(bytes_of(size.width, size.height))};
  // An endless number of scans is refused; a file that ends early shows what it has.
  const int failed = tjDecompress2(decompressor.handle, in(file), static_cast<unsigned long>(file.size()), pixels.bytes.data(), size.width,
                                   size.width * 4, size.height, TJPF_RGBA, TJFLAG_LIMITSCANS | TJFLAG_FASTDCT);
  if (failed != 0 && tjGetErrorCode(decompressor.handle) != TJERR_WARNING) return std::nullopt;
  return pixels;
}

std::optional<Size> png_size(std::string_view file) {
  PngImage image;
  if (!image.begin(file)) return std::nullopt;
  return Size{static_cast<int>(image.width), static_cast<int>(image.height)};
}

std::optional<Pixels> decode_png(std::string_view file) {
  PngImage image;
  if (!image.begin(file)) return std::nullopt;
  image.format = PNG_FORMAT_RGBA;
  Pixels pixels{static_cast<int>(image.width), static_cast<int>(image.height), std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  if (png_image_finish_read(&image, nullptr, pixels.bytes.data(), 0, nullptr) == 0) return std::nullopt;
  return pixels;
}

std::optional<Size> gif_size(std::string_view file) {
  if (file.size() < 10 || file.substr(0, 3) != "GIF") return std::nullopt;
  return Size{in(file)[6] | in(file)[7] << 8, in(file)[8] | in(file)[9] << 8};
}

std::optional<Size> webp_size(std::string_view file, bool& moves) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(in(file), file.size(), &features) != VP8_STATUS_OK) return std::nullopt;
  moves = features.has_animation != 0;
  return Size{features.width, features.height};
}

std::optional<Pixels> decode_webp(std::string_view file, int box) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0 || WebPGetFeatures(in(file), file.size(), &config.input) != VP8_STATUS_OK) return std::nullopt;
  const Size size = fit({config.input.width, config.input.height}, 2 * box);
  Pixels pixels{size.width, size.height, std::vector<std::uint8_t>(bytes_of(size.width, size.height))};
  config.options.use_scaling = 1;
  config.options.scaled_width = size.width;
  config.options.scaled_height = size.height;
  config.output.colorspace = MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.bytes.data(), size.width * 4, pixels.bytes.size()};
  if (WebPDecode(in(file), file.size(), &config) != VP8_STATUS_OK) return std::nullopt;
  return pixels;
}

}  // namespace chat::images
