#include "schemas/engine/image_metadata.hpp"

#include "schemas/engine/image_parts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace schemas {

using namespace image_parts;
using namespace std::string_view_literals;

namespace {

void append_big_endian(std::string& out, std::size_t value, int size)
{
    while (size-- > 0)
        out += static_cast<char>(value >> (8 * size) & 0xFF);
}

void append_little_endian(std::string& out, std::size_t value, int size)
{
    for (int i = 0; i < size; ++i)
        out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// ---- Exif

constexpr auto exif_signature = "Exif\0\0"sv;
constexpr std::uint32_t upright = 1;

/** The orientation in the first directory of a TIFF structure (TIFF 6.0, section 2; Exif 2.32,
    section 4.6.4).
    @return from 1 to 8; 1 if there is none */
std::uint32_t read_orientation(bytes tiff)
{
    constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3;
    const bool is_little = tiff.starts_with("II*\0"sv);
    if (!is_little && !tiff.starts_with("MM\0*"sv))
        return upright;
    auto number = [&](bytes from) { return is_little ? little_endian(from) : big_endian(from); };
    if (tiff.size() < 8)
        return upright;
    const auto directory = number(tiff.substr(4, 4));
    if (directory > tiff.size())
        return upright;
    auto rest = tiff.substr(directory);
    auto count = take(rest, 2);
    for (auto left = count ? number(*count) : 0; left > 0; --left) {
        auto entry = take(rest, 12);
        if (!entry)
            return upright;
        if (number(entry->substr(0, 2)) != orientation_tag)
            continue;
        const auto value = number(entry->substr(8, 2));
        const bool is_short = number(entry->substr(2, 2)) == short_type && number(entry->substr(4, 4)) == 1;
        return is_short && value >= 1 && value <= 8 ? value : upright;
    }
    return upright;
}

/// A TIFF structure with the orientation alone.
std::string make_exif(std::uint32_t orientation)
{
    std::string out("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"sv);
    append_big_endian(out, orientation, 2);
    out.append(2 + 4, '\0'); // the rest of the value, and no further directory
    return out;
}

/** The first Exif block of a file, which decides.
    @return the block that replaces it; empty: none is needed */
std::string replace_exif(bytes tiff, bool& is_first)
{
    auto orientation = is_first ? read_orientation(tiff) : upright;
    is_first = false;
    return orientation == upright ? std::string() : make_exif(orientation);
}

// ---- JPEG

void append_segment(std::string& out, std::uint32_t marker, bytes data)
{
    out += '\xFF';
    out += static_cast<char>(marker);
    append_big_endian(out, data.size() + 2, 2);
    out.append(data);
}

/// What a decoder needs of a segment other than a scan; empty: nothing.
std::string keep_segment(std::uint32_t marker, bytes data, bool& is_first_exif)
{
    constexpr std::uint32_t quantization = 0xDB, lines = 0xDC, restarts = 0xDD, app0 = 0xE0, app1 = 0xE1,
                            app2 = 0xE2, app14 = 0xEE;
    switch (marker) {
    case jpeg_marker::huffman_tables:
    case quantization:
    case lines:
    case restarts:
        return std::string(data);
    case app0: // JFIF, without its preview
        if (data.size() >= 14 && data.starts_with("JFIF\0"sv))
            return std::string(data.substr(0, 12)).append(2, '\0');
        return {};
    case app1:
        if (take_prefix(data, exif_signature))
            if (auto exif = replace_exif(data, is_first_exif); !exif.empty())
                return std::string(exif_signature) + exif;
        return {};
    case app2:
        return data.starts_with("ICC_PROFILE\0"sv) ? std::string(data) : std::string();
    case app14:
        return data.size() >= 12 && data.starts_with("Adobe") ? std::string(data.substr(0, 12))
                                                              : std::string();
    default:
        return is_frame(marker) ? std::string(data) : std::string();
    }
}

bool strip_jpeg(bytes rest, std::string& out)
{
    out = "\xFF\xD8";
    for (bool is_first_exif = true;;) {
        auto marker = take_marker(rest);
        if (!marker)
            return false;
        if (*marker == jpeg_marker::end) {
            out += "\xFF\xD9";
            return true;
        }
        auto data = has_segment(*marker) ? take_segment(rest) : std::nullopt;
        if (!data)
            return false;
        if (*marker == jpeg_marker::scan) {
            append_segment(out, *marker, *data);
            const auto before = rest;
            if (!skip_scan(rest))
                return false;
            out.append(before.substr(0, before.size() - rest.size()));
        } else if (auto kept = keep_segment(*marker, *data, is_first_exif); !kept.empty()) {
            append_segment(out, *marker, kept);
        }
    }
}

// ---- PNG

void append_png_chunk(std::string& out, bytes type, bytes data)
{
    boost::crc_32_type sum;
    sum.process_bytes(type.data(), type.size());
    sum.process_bytes(data.data(), data.size());
    append_big_endian(out, data.size(), 4);
    out.append(type).append(data);
    append_big_endian(out, sum.checksum(), 4);
}

/// Ancillary chunks that affect colors (PNG, third edition, section 11.3.2).
bool affects_colors(bytes type)
{
    constexpr std::array kept{"tRNS"sv, "gAMA"sv, "cHRM"sv, "sRGB"sv, "iCCP"sv,
                              "sBIT"sv, "cICP"sv, "mDCV"sv, "cLLI"sv, "bKGD"sv};
    return std::ranges::find(kept, type) != kept.end();
}

bool strip_png(bytes rest, std::string& out)
{
    out = png_signature;
    for (bool is_first_exif = true;;) {
        const auto before = rest;
        auto chunk = take_png_chunk(rest);
        if (!chunk)
            return false;
        if (chunk->is_critical() || affects_colors(chunk->type))
            out.append(before.substr(0, before.size() - rest.size()));
        else if (chunk->type == "eXIf" && chunk->is_intact())
            if (auto exif = replace_exif(chunk->data, is_first_exif); !exif.empty())
                append_png_chunk(out, "eXIf", exif);
        if (chunk->type == "IEND")
            return true;
    }
}

// ---- WebP

void append_webp_chunk(std::string& out, bytes type, bytes data)
{
    out.append(type);
    append_little_endian(out, data.size(), 4);
    out.append(data);
    out.append(data.size() % 2, '\0');
}

bool strip_webp(bytes rest, std::string& out)
{
    constexpr unsigned char has_exif = 0x08, has_xmp = 0x04; // RFC 9649, section 2.7.1.1
    auto content = take_riff_content(rest);
    if (!content || !take_prefix(*content, "WEBP"))
        return false;
    std::string chunks = "WEBP";
    std::size_t flags_at = 0;
    bool is_first_exif = true, keeps_exif = false;
    while (!content->empty()) {
        auto chunk = take_webp_chunk(*content);
        if (!chunk)
            return false;
        if (chunk->type == "VP8X" && !chunk->data.empty() && flags_at == 0) {
            flags_at = chunks.size() + 8;
            append_webp_chunk(chunks, chunk->type, chunk->data);
        } else if (is_picture(*chunk) || chunk->type == "ALPH" || chunk->type == "ICCP") {
            append_webp_chunk(chunks, chunk->type, chunk->data);
        } else if (chunk->type == "EXIF") {
            auto tiff = chunk->data;
            take_prefix(tiff, exif_signature); // written by some programs, against the specification
            auto exif = replace_exif(tiff, is_first_exif);
            if (!exif.empty())
                append_webp_chunk(chunks, "EXIF", exif);
            keeps_exif = keeps_exif || !exif.empty();
        }
    }
    if (flags_at != 0) {
        auto flags = static_cast<unsigned char>(chunks[flags_at]) & ~(has_exif | has_xmp);
        chunks[flags_at] = static_cast<char>(flags | (keeps_exif ? has_exif : 0));
    }
    out = "RIFF";
    append_little_endian(out, chunks.size(), 4);
    out += chunks;
    return true;
}

bool strip(bytes in, std::string& out)
{
    if (take_prefix(in, png_signature))
        return strip_png(in, out);
    if (take_prefix(in, "\xFF\xD8"))
        return strip_jpeg(in, out);
    if (take_prefix(in, "RIFF"))
        return strip_webp(in, out);
    return false;
}

} // namespace

std::string strip_image_metadata(std::string_view image)
{
    std::string out;
    out.reserve(image.size());
    return strip(image, out) ? out : std::string();
}

} // namespace schemas
