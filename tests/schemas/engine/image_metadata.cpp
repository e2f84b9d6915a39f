// Removal of metadata from images: what goes, what stays, and hostile files.
#include "schemas/engine/image_metadata.hpp"

#include "tests/schemas/engine/image_builders.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

using namespace schemas;
using namespace schemas::test;
using namespace std::string_literals;

namespace {

/// In every part that has to go. Parts that have to stay contain `color`.
const std::string secret = "GPS 52.5200 N 13.4050 E", color = "color profile";

/// A TIFF structure; its first directory has the orientation between two other entries.
std::string tiff(std::size_t orientation, bool is_little)
{
    auto number = [&](std::size_t value, int size) {
        return is_little ? little_endian(value, size) : big_endian(value, size);
    };
    auto entry = [&](std::size_t tag, std::size_t type, std::size_t count, const std::string& value) {
        return number(tag, 2) + number(type, 2) + number(count, 4) + value;
    };
    return (is_little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(3, 2) +
           entry(0x010F, 2, secret.size(), number(50, 4)) +
           entry(0x0112, 3, 1, number(orientation, 2) + number(0, 2)) + entry(0x8825, 4, 1, number(80, 4)) +
           number(0, 4) + secret;
}

/// What remains of Exif.
std::string orientation_alone(std::size_t orientation)
{
    return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + static_cast<char>(orientation) +
           "\0\0\0\0\0\0"s;
}

std::string jpeg_with(const std::string& segments)
{
    return soi + segments + jpeg_frame(5, 3) + jpeg_scan() + entropy + eoi;
}

std::string jpeg_exif(const std::string& content)
{
    return segment(0xE1, "Exif\0\0"s + content);
}

std::string png_with(const std::string& chunks)
{
    return png_magic + png_head(5, 3) + chunks + idat + iend;
}

std::string webp_with(int flags, const std::string& chunks)
{
    return riff(vp8x(5, 3, flags) + vp8(5, 3) + chunks);
}

std::string strip(const std::string& image)
{
    BOOST_REQUIRE(read_image(image).has_value());
    auto out = strip_image_metadata(image);
    BOOST_TEST((read_image(out) == read_image(image)));
    BOOST_TEST((strip_image_metadata(out) == out));
    return out;
}

/// The orientation that remains of an Exif block in each format; 1: no block remains.
void check_orientation(const std::string& exif, std::size_t expected)
{
    const bool is_kept = expected != 1;
    auto kept = orientation_alone(expected);
    BOOST_TEST((strip(jpeg_with(jpeg_exif(exif))) == jpeg_with(is_kept ? jpeg_exif(kept) : "")));
    BOOST_TEST(
        (strip(png_with(png_chunk("eXIf", exif))) == png_with(is_kept ? png_chunk("eXIf", kept) : "")));
    for (auto& prefix : {""s, "Exif\0\0"s})
        BOOST_TEST((strip(webp_with(0x08, webp_chunk("EXIF", prefix + exif))) ==
                    (is_kept ? webp_with(0x08, webp_chunk("EXIF", kept)) : webp_with(0, ""))));
}

} // namespace

BOOST_AUTO_TEST_SUITE(image_metadata)

BOOST_AUTO_TEST_CASE(images_of_real_encoders_stay_the_same_image)
{
    for (auto& [name, bytes, info] : samples) {
        auto out = strip(bytes);
        BOOST_TEST(out.size() <= bytes.size(), name);
        BOOST_TEST(
            (out == bytes || name == "png_palette" || name == "jpeg_progressive" || name == "webp_extended"),
            name);
    }
    auto palette = strip(png_palette);
    BOOST_TEST(palette.find("tRNS") != palette.npos);
    BOOST_TEST(palette.find("script") == palette.npos);
}

BOOST_AUTO_TEST_CASE(a_jpeg_keeps_what_decoding_needs)
{
    const auto icc = segment(0xE2, "ICC_PROFILE\0\1\1"s + color),
               adobe = segment(0xEE, "Adobe\0\x64\0\0\0\0\1"s);
    const auto jfif = segment(0xE0, "JFIF\0\1\2\0\0\1\0\1\0\0"s);
    std::string metadata = jpeg_exif(tiff(1, true)) +
                           segment(0xE1, "http://ns.adobe.com/xap/1.0/\0"s + secret) +
                           segment(0xE2, "MPF\0"s + secret) + segment(0xE0, "JFXX\0\x10"s + secret) +
                           segment(0xED, "Photoshop 3.0\0"s + secret) + segment(0xFE, secret) +
                           segment(0xC8, secret) + segment(0xF7, secret);
    for (int app = 0xE0; app <= 0xEF; ++app)
        metadata += segment(app, secret);
    const auto jfif_with_preview = segment(0xE0, "JFIF\0\1\2\0\0\1\0\1\3\3"s + secret + "1234");
    const auto adobe_with_more = segment(0xEE, "Adobe\0\x64\0\0\0\0\1"s + secret);
    const auto tables = segment(0xDB, "quantization") + segment(0xC4, "huffman") + segment(0xDD, "rr"),
               frame = jpeg_frame(5, 3), scan = jpeg_scan() + "ab\xFF\0c\xFF\xD0"s + entropy;
    auto image = soi + jfif_with_preview + "\xFF\xFF" + metadata + icc + adobe_with_more + tables + metadata +
                 frame + metadata + scan + metadata + scan + "\xFF" + eoi + secret;
    BOOST_TEST((strip(image) == soi + jfif + icc + adobe + tables + frame + scan + scan + eoi));
}

BOOST_AUTO_TEST_CASE(a_png_keeps_critical_chunks_and_colors)
{
    std::string kept;
    for (auto type : {"cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI", "PLTE", "bKGD", "tRNS"})
        kept += png_chunk(type, color + "12");
    std::string metadata;
    for (auto type : {"tEXt", "zTXt", "iTXt", "tIME", "pHYs", "hIST", "sPLT", "caBX", "dSIG", "vpAg", "fcTL"})
        metadata += png_chunk(type, secret);
    auto image = png_magic + png_head(5, 3) + metadata + kept + metadata + png_chunk("eXIf", tiff(1, false)) +
                 idat + idat + metadata + iend + secret;
    BOOST_TEST((strip(image) == png_magic + png_head(5, 3) + kept + idat + idat + iend));
}

BOOST_AUTO_TEST_CASE(a_webp_keeps_picture_alpha_and_profile)
{
    const auto icc = webp_chunk("ICCP", color), alpha = webp_chunk("ALPH", "odd");
    auto odd = webp_chunk("XMP ", secret);
    odd.back() = 'x'; // hidden in the padding
    const auto metadata = webp_chunk("EXIF", tiff(1, true)) + odd + webp_chunk("ABCD", secret);
    auto image = riff(vp8x(5, 3, 0x3C) + icc + metadata + alpha + vp8(5, 3) + metadata) + secret;
    BOOST_TEST((strip(image) == riff(vp8x(5, 3, 0x30) + icc + alpha + vp8(5, 3))));
    BOOST_TEST((strip(riff(vp8l(5, 3)) + secret) == riff(vp8l(5, 3))));
}

BOOST_AUTO_TEST_CASE(the_orientation_stays)
{
    for (bool is_little : {true, false})
        for (std::size_t orientation = 0; orientation < 12; ++orientation)
            check_orientation(tiff(orientation, is_little),
                              orientation <= 8 && orientation > 1 ? orientation : 1);
    // The first block decides.
    BOOST_TEST((strip(jpeg_with(jpeg_exif(tiff(6, true)) + jpeg_exif(tiff(3, true)))) ==
                jpeg_with(jpeg_exif(orientation_alone(6)))));
    BOOST_TEST((strip(jpeg_with(jpeg_exif(tiff(1, true)) + jpeg_exif(tiff(3, true)))) == jpeg_with("")));
}

BOOST_AUTO_TEST_CASE(malformed_exif_is_no_orientation)
{
    const auto whole = tiff(6, false);
    for (std::size_t size = 0; size < whole.size(); ++size)
        check_orientation(whole.substr(0, size), size >= 10 + 2 * 12 ? 6 : 1);
    auto changed = [&](std::size_t at, const std::string& bytes) {
        auto out = whole;
        out.replace(at, bytes.size(), bytes);
        return out;
    };
    check_orientation(changed(0, "II"), 1);               // the other byte order
    check_orientation(changed(2, "\0\x2B"s), 1);          // BigTIFF
    check_orientation(changed(4, "\xFF\xFF\xFF\xFF"), 1); // a directory outside
    check_orientation(changed(4, "\0\0\0\x09"s), 1);      // a shifted directory
    check_orientation(changed(8, "\xFF\xFF"), 6);         // more entries than there are
    check_orientation(changed(8, "\0\1"s), 1);            // fewer: not part of the directory
    check_orientation(changed(24, "\0\4"s), 1);           // another type
    check_orientation(changed(26, "\0\0\0\2"s), 1);       // another count
    auto broken = png_chunk("eXIf", whole);
    broken.back() ^= 1; // checksum
    BOOST_TEST((strip(png_with(broken)) == png_with("")));
}

BOOST_AUTO_TEST_CASE(what_is_no_image_becomes_nothing)
{
    for (auto& bytes : {""s, "\0"s, gif, png_magic, soi, "RIFF"s, "<html>"s, soi + eoi.substr(0, 1)})
        BOOST_TEST(strip_image_metadata(bytes).empty());
    for (auto& [name, bytes, info] : samples)
        for (std::size_t size = 0; size < bytes.size(); ++size)
            BOOST_TEST(strip_image_metadata(std::string(bytes, 0, size)).empty(), name << " cut to " << size);
}

BOOST_AUTO_TEST_CASE(mutated_images_stay_what_they_are)
{
    std::mt19937 random(5);
    const std::vector<std::string> bases{
        jpeg_with(segment(0xE0, "JFIF\0\1\2\0\0\1\0\1\0\0"s) + jpeg_exif(tiff(6, true)) +
                  segment(0xFE, secret)),
        png_with(png_chunk("eXIf", tiff(3, false)) + png_chunk("tEXt", secret)),
        webp_with(0x0C, webp_chunk("EXIF", tiff(8, true)) + webp_chunk("XMP ", secret)),
        png_palette,
        jpeg_progressive,
        webp_extended};
    std::size_t accepted = 0;
    for (int i = 0; i < 30'000; ++i) {
        auto bytes = bases[random() % bases.size()];
        for (auto changes = 1 + random() % 4; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto from = random() % bytes.size(), size = random() % 8;
        if (random() % 3 == 0)
            bytes.erase(from, size);
        else if (random() % 2 == 0)
            bytes.insert(from, bytes, random() % bytes.size(), size);
        auto out = strip_image_metadata(bytes);
        auto info = read_image(bytes);
        if (!info)
            continue;
        ++accepted;
        BOOST_REQUIRE((read_image(out) == info));
        BOOST_REQUIRE(out.size() <= bytes.size() + 16);
    }
    BOOST_TEST(accepted > 1000u);
}

BOOST_AUTO_TEST_SUITE_END()
