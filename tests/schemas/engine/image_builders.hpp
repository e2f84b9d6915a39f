// Images of real encoders with their sizes, and builders of images part by part.
#pragma once

#include "schemas/engine/image.hpp"
#include "tests/schemas/engine/images.hpp"

#include <boost/crc.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace schemas::test {

using namespace std::string_literals;

struct sample {
    std::string_view name;
    std::string bytes;
    image_info info;
};

inline const std::array<sample, 10> samples{{
    {"png_interlaced", png_interlaced, {image_format::png, 5, 3}},
    {"png_palette", png_palette, {image_format::png, 5, 3}},
    {"png_alpha", png_alpha, {image_format::png, 5, 3}},
    {"jpeg_baseline", jpeg_baseline, {image_format::jpeg, 20, 13}},
    {"jpeg_restarts", jpeg_restarts, {image_format::jpeg, 40, 9}},
    {"jpeg_progressive", jpeg_progressive, {image_format::jpeg, 7, 5}},
    {"webp_lossy", webp_lossy, {image_format::webp, 9, 7}},
    {"webp_lossless", webp_lossless, {image_format::webp, 9, 7}},
    {"webp_alpha", webp_alpha, {image_format::webp, 9, 7}},
    {"webp_extended", webp_extended, {image_format::webp, 9, 7}},
}};

inline std::string big_endian(std::size_t value, int size)
{
    std::string out;
    while (size-- > 0)
        out += static_cast<char>(value >> (8 * size) & 0xFF);
    return out;
}

inline std::string little_endian(std::size_t value, int size)
{
    auto out = big_endian(value, size);
    return {out.rbegin(), out.rend()};
}

// ---- hand-built PNG

inline const std::string png_magic = "\x89PNG\r\n\x1A\n";
inline const std::string some_pixels = png_alpha.substr(41, 8); // never decoded

inline std::string png_chunk(const std::string& type, const std::string& data)
{
    boost::crc_32_type sum;
    sum.process_bytes(type.data(), type.size());
    sum.process_bytes(data.data(), data.size());
    return big_endian(data.size(), 4) + type + data + big_endian(sum.checksum(), 4);
}

inline std::string png_head(std::size_t width, std::size_t height, int depth = 8, int color_type = 2,
                            const std::string& rest = "\0\0\0"s)
{
    return png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) + static_cast<char>(depth) +
                                 static_cast<char>(color_type) + rest);
}

inline const std::string idat = png_chunk("IDAT", some_pixels), iend = png_chunk("IEND", "");

// ---- hand-built JPEG

inline std::string segment(int marker, const std::string& data)
{
    return "\xFF"s + static_cast<char>(marker) + big_endian(data.size() + 2, 2) + data;
}

inline std::string jpeg_frame(std::size_t width, std::size_t height, std::size_t components = 3,
                              int marker = 0xC0)
{
    return segment(marker, "\x08"s + big_endian(height, 2) + big_endian(width, 2) +
                               static_cast<char>(components) + std::string(3 * components, '\x11'));
}

inline std::string jpeg_scan(std::size_t components = 3)
{
    return segment(0xDA, static_cast<char>(components) + std::string(2 * components + 3, '\0'));
}

inline const std::string soi = "\xFF\xD8", eoi = "\xFF\xD9", entropy = "abc";

// ---- hand-built WebP

inline std::string webp_chunk(const std::string& type, const std::string& data)
{
    return type + little_endian(data.size(), 4) + data + std::string(data.size() % 2, '\0');
}

inline std::string vp8(std::size_t width, std::size_t height, std::size_t tag = 0x10 | 2 << 5)
{
    return webp_chunk("VP8 ", little_endian(tag, 3) + "\x9D\x01\x2A" + little_endian(width, 2) +
                                  little_endian(height, 2) + "some");
}

inline std::string vp8l(std::size_t width, std::size_t height, std::size_t version = 0)
{
    return webp_chunk("VP8L",
                      "\x2F" + little_endian((width - 1) | (height - 1) << 14 | version << 29, 4) + "some");
}

inline std::string vp8x(std::size_t width, std::size_t height, int flags = 0)
{
    return webp_chunk("VP8X", static_cast<char>(flags) + "\0\0\0"s + little_endian(width - 1, 3) +
                                  little_endian(height - 1, 3));
}

inline std::string riff(const std::string& chunks)
{
    return "RIFF" + little_endian(chunks.size() + 4, 4) + "WEBP" + chunks;
}

} // namespace schemas::test
