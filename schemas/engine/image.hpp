// Images, told by their content: what a stranger calls an image is served to others only if it is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace schemas {

enum class image_format { png, jpeg, webp };

struct image_info {
    image_format format;
    std::uint32_t width, height; ///< in pixels, from 1 to largest_side

    bool operator==(const image_info&) const = default;
};

/** No side of an image may have more pixels: it bounds what a decoder sets aside for one to 64 MiB, at four
    bytes a pixel, however small the file is. */
inline constexpr std::uint32_t largest_side = 4096;

/** Recognise a still PNG, JPEG or WebP that browsers show. The structure is read from the first byte to the
    last, so what is half there, or goes on after its end, is none; pixels are not decoded.

    - PNG (RFC 2083): IHDR and its checksum, palette, IDATs in one run, IEND and then nothing. No APNG.
    - JPEG (ITU T.81): Huffman-coded, baseline or progressive, 8 bits a sample, 1, 3 or 4 components, all of
   its segments up to EOI. After it only NUL bytes, with which some cameras pad; the second picture or the
      film that some telephones append makes it none.
    - WebP (RFC 9649): lossy, lossless or extended with one picture of the canvas' size. No animation.

    Reads each byte once at most: some 0.1 ms for 1 MiB of a photograph, 5 ms at worst.
    @return nothing if it is another thing, broken, or larger than largest_side */
std::optional<image_info> read_image(std::string_view bytes);

/** The content type to serve it under. */
constexpr std::string_view content_type(image_format format)
{
    switch (format) {
    case image_format::png:
        return "image/png";
    case image_format::jpeg:
        return "image/jpeg";
    case image_format::webp:
        return "image/webp";
    }
    return "application/octet-stream";
}

} // namespace schemas
