#include "schemas/engine/image.hpp"

#include "schemas/engine/image_parts.hpp"

#include <cstddef>

namespace schemas {

using namespace image_parts;

namespace {

std::optional<image_info> checked_size(image_format format, std::uint32_t width, std::uint32_t height)
{
    if (width == 0 || height == 0 || width > max_image_side || height > max_image_side)
        return std::nullopt;
    return image_info{format, width, height};
}

// ---- PNG

/// The allowed combinations (RFC 2083, section 4.1.1).
bool is_png_color_type(std::uint32_t depth, std::uint32_t color)
{
    const bool is_power = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    switch (color) {
    case 0:
        return is_power; // gray
    case 3:
        return is_power && depth <= 8; // palette
    case 2:
    case 4:
    case 6:
        return is_power && depth >= 8; // colors, gray with alpha, colors with alpha
    default:
        return false;
    }
}

std::optional<image_info> read_png(bytes rest)
{
    auto head = take_png_chunk(rest);
    if (!head || head->type != "IHDR" || head->data.size() != 13 || !head->is_intact())
        return std::nullopt;
    auto color = byte_at(head->data, 9);
    auto compression = byte_at(head->data, 10), filter = byte_at(head->data, 11),
         interlace = byte_at(head->data, 12);
    if (!is_png_color_type(byte_at(head->data, 8), color) || compression != 0 || filter != 0 || interlace > 1)
        return std::nullopt;

    bool has_palette = false;
    std::size_t pixel_bytes = 0;
    for (bytes before = "IHDR";;) {
        auto chunk = take_png_chunk(rest);
        if (!chunk)
            return std::nullopt;
        if (chunk->type == "IEND") {
            if (!chunk->data.empty() || !chunk->is_intact() || pixel_bytes == 0)
                return std::nullopt;
            return checked_size(image_format::png, big_endian(head->data.substr(0, 4)),
                                big_endian(head->data.substr(4, 4)));
        }
        if (chunk->type == "IDAT") {
            if ((before != "IDAT" && pixel_bytes > 0) || (color == 3 && !has_palette))
                return std::nullopt;
            pixel_bytes += chunk->data.size();
        } else if (chunk->type == "PLTE") {
            if (has_palette || pixel_bytes > 0 || chunk->data.empty() || chunk->data.size() % 3 != 0 ||
                chunk->data.size() > 3 * 256)
                return std::nullopt;
            has_palette = true;
        } else if (chunk->is_critical() || chunk->type == "acTL") {
            return std::nullopt; // unknown critical chunk, or animated
        }
        before = chunk->type;
    }
}

// ---- JPEG

/// The frame types that browsers display: baseline, extended and progressive, Huffman-coded.
std::optional<image_info> read_frame(std::uint32_t marker, bytes data)
{
    if (marker > 0xC2 || data.size() < 6 || byte_at(data, 0) != 8)
        return std::nullopt;
    auto components = byte_at(data, 5);
    if ((components != 1 && components != 3 && components != 4) || data.size() != 6 + 3 * components)
        return std::nullopt;
    return checked_size(image_format::jpeg, big_endian(data.substr(3, 2)), big_endian(data.substr(1, 2)));
}

std::optional<image_info> read_jpeg(bytes rest)
{
    std::optional<image_info> frame;
    for (bool has_scan = false;;) {
        auto marker = take_marker(rest);
        if (!marker)
            return std::nullopt;
        if (*marker == jpeg_marker::end)
            return has_scan ? frame : std::nullopt;
        auto data = has_segment(*marker) ? take_segment(rest) : std::nullopt;
        if (!data)
            return std::nullopt;
        if (is_frame(*marker)) {
            if (frame || !(frame = read_frame(*marker, *data)))
                return std::nullopt;
        } else if (*marker == jpeg_marker::scan) {
            auto components = data->empty() ? 0 : byte_at(*data, 0);
            if (!frame || components < 1 || components > 4 || data->size() != 4 + 2 * components ||
                !skip_scan(rest))
                return std::nullopt;
            has_scan = true;
        }
    }
}

// ---- WebP

/** The header of a key frame: RFC 6386, section 9.1. */
std::optional<image_info> read_lossy(bytes data)
{
    if (data.size() <= 10 || data.substr(3, 3) != "\x9D\x01\x2A")
        return std::nullopt;
    auto tag = little_endian(data.substr(0, 3));
    const bool is_key_frame = (tag & 1) == 0, is_known = (tag >> 1 & 7) <= 3, is_shown = (tag >> 4 & 1) == 1;
    if (!is_key_frame || !is_known || !is_shown || (tag >> 5) > data.size() - 10)
        return std::nullopt;
    // The upper two bits are a scaling hint, which is not applied.
    return checked_size(image_format::webp, little_endian(data.substr(6, 2)) & 0x3FFF,
                        little_endian(data.substr(8, 2)) & 0x3FFF);
}

/** RFC 9649, section 3.4. */
std::optional<image_info> read_lossless(bytes data)
{
    if (data.size() <= 5 || data[0] != 0x2F)
        return std::nullopt;
    auto packed = little_endian(data.substr(1, 4));
    if (packed >> 29 != 0) // version
        return std::nullopt;
    return checked_size(image_format::webp, (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1);
}

std::optional<image_info> read_picture(const webp_chunk& chunk)
{
    return chunk.type == "VP8L" ? read_lossless(chunk.data) : read_lossy(chunk.data);
}

/** RFC 9649, section 2.7: the canvas, and chunks of which one is the picture. */
std::optional<image_info> read_extended(bytes canvas, bytes rest)
{
    constexpr std::uint32_t animated = 2;
    if (canvas.size() != 10 || (byte_at(canvas, 0) & animated) != 0)
        return std::nullopt;
    auto size = checked_size(image_format::webp, little_endian(canvas.substr(4, 3)) + 1,
                             little_endian(canvas.substr(7, 3)) + 1);
    if (!size)
        return std::nullopt;
    bool has_picture = false;
    while (!rest.empty()) {
        auto chunk = take_webp_chunk(rest);
        if (!chunk || chunk->type == "VP8X" || chunk->type == "ANIM" || chunk->type == "ANMF")
            return std::nullopt;
        if (!is_picture(*chunk))
            continue;
        if (has_picture || read_picture(*chunk) != size)
            return std::nullopt;
        has_picture = true;
    }
    return has_picture ? size : std::nullopt;
}

std::optional<image_info> read_webp(bytes rest)
{
    auto content = take_riff_content(rest);
    if (!content || !take_prefix(*content, "WEBP"))
        return std::nullopt;
    rest = *content;
    auto first = take_webp_chunk(rest);
    if (!first)
        return std::nullopt;
    if (first->type == "VP8X")
        return read_extended(first->data, rest);
    return is_picture(*first) && rest.empty() ? read_picture(*first) : std::nullopt;
}

} // namespace

std::optional<image_info> read_image(bytes in)
{
    if (take_prefix(in, png_signature))
        return read_png(in);
    if (take_prefix(in, "\xFF\xD8"))
        return read_jpeg(in);
    if (take_prefix(in, "RIFF"))
        return read_webp(in);
    return std::nullopt;
}

} // namespace schemas
