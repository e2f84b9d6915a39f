// The parts of image files: PNG chunks, JPEG segments, WebP chunks. For image.cpp and image_metadata.cpp
// alone.
#pragma once

#include <boost/crc.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace schemas::image_parts {

using bytes = std::string_view;

inline std::uint32_t byte_at(bytes in, std::size_t at)
{
    return static_cast<unsigned char>(in[at]);
}

inline std::uint32_t big_endian(bytes in)
{
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
        out = out << 8 | byte_at(in, i);
    return out;
}

inline std::uint32_t little_endian(bytes in)
{
    std::uint32_t out = 0;
    for (std::size_t i = in.size(); i > 0; --i)
        out = out << 8 | byte_at(in, i - 1);
    return out;
}

/// Remove and return the first `size` bytes of `rest`. @return nothing if it has fewer
inline std::optional<bytes> take(bytes& rest, std::size_t size)
{
    if (rest.size() < size)
        return std::nullopt;
    auto out = rest.substr(0, size);
    rest.remove_prefix(size);
    return out;
}

inline bool take_prefix(bytes& rest, bytes prefix)
{
    if (!rest.starts_with(prefix))
        return false;
    rest.remove_prefix(prefix.size());
    return true;
}

// ---- PNG

constexpr std::string_view png_signature = "\x89PNG\r\n\x1A\n";

struct png_chunk {
    bytes type, data;
    /// The bytes that the checksum covers.
    bytes checked;
    std::uint32_t checksum;

    bool is_critical() const { return type[0] >= 'A' && type[0] <= 'Z'; }

    bool is_intact() const
    {
        boost::crc_32_type sum;
        sum.process_bytes(checked.data(), checked.size());
        return sum.checksum() == checksum;
    }
};

inline std::optional<png_chunk> take_png_chunk(bytes& rest)
{
    auto size = take(rest, 4);
    if (!size || big_endian(*size) > 0x7FFF'FFFF)
        return std::nullopt;
    auto checked = take(rest, std::size_t{4} + big_endian(*size));
    auto checksum = take(rest, 4);
    if (!checked || !checksum)
        return std::nullopt;
    return png_chunk{checked->substr(0, 4), checked->substr(4), *checked, big_endian(*checksum)};
}

// ---- JPEG

namespace jpeg_marker {
constexpr std::uint32_t huffman_tables = 0xC4, extension = 0xC8, arithmetic_tables = 0xCC, end = 0xD9,
                        scan = 0xDA;
}

/// Remove a marker and its leading fill bytes. @return its second byte
inline std::optional<std::uint32_t> take_marker(bytes& rest)
{
    if (!rest.starts_with('\xFF'))
        return std::nullopt;
    auto at = rest.find_first_not_of('\xFF');
    if (at == bytes::npos || rest[at] == 0)
        return std::nullopt;
    auto out = byte_at(rest, at);
    rest.remove_prefix(at + 1);
    return out;
}

/// The segment after a marker. Its length includes the length field.
inline std::optional<bytes> take_segment(bytes& rest)
{
    auto size = take(rest, 2);
    if (!size || big_endian(*size) < 2)
        return std::nullopt;
    return take(rest, big_endian(*size) - 2);
}

/** Skip entropy-coded data up to the next marker other than RSTn; FF 00 is a data byte.
    @return false if there is no data, or no marker after it */
inline bool skip_scan(bytes& rest)
{
    for (std::size_t at = 0;; at += 2) {
        at = rest.find('\xFF', at);
        if (at == bytes::npos || at + 1 == rest.size())
            return false;
        auto next = byte_at(rest, at + 1);
        if (next != 0 && (next < 0xD0 || next > 0xD7)) {
            rest.remove_prefix(at);
            return at > 0;
        }
    }
}

/// Whether a segment follows the marker: C0 and above except RSTn, SOI and EOI; lower markers are reserved.
inline bool has_segment(std::uint32_t marker)
{
    return marker >= 0xC0 && (marker < 0xD0 || marker > 0xD9);
}

inline bool is_frame(std::uint32_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != jpeg_marker::huffman_tables &&
           marker != jpeg_marker::extension && marker != jpeg_marker::arithmetic_tables;
}

// ---- WebP

/// The content of a RIFF file, after its first four bytes. Ignores what follows it.
inline std::optional<bytes> take_riff_content(bytes& rest)
{
    auto size = take(rest, 4);
    return size ? take(rest, little_endian(*size)) : std::nullopt;
}

struct webp_chunk {
    bytes type, data;
};

inline std::optional<webp_chunk> take_webp_chunk(bytes& rest)
{
    auto type = take(rest, 4), size = take(rest, 4);
    if (!type || !size)
        return std::nullopt;
    auto data = take(rest, little_endian(*size));
    if (!data || (data->size() % 2 == 1 && !take(rest, 1))) // padded to an even number
        return std::nullopt;
    return webp_chunk{*type, *data};
}

inline bool is_picture(const webp_chunk& chunk)
{
    return chunk.type == "VP8 " || chunk.type == "VP8L";
}

} // namespace schemas::image_parts
