// Image validation: real images are accepted; truncated, extended, malformed and other files are rejected.
#include "schemas/engine/image.hpp"

#include "tests/schemas/engine/image_builders.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <random>
#include <string>
#include <tuple>
#include <utility>

using namespace schemas;
using namespace schemas::test;
using namespace std::string_literals;

namespace {

bool is_png(const std::string& chunks)
{
    return read_image(png_magic + chunks).has_value();
}

bool is_jpeg(const std::string& segments)
{
    return read_image(soi + segments).has_value();
}

bool is_webp(const std::string& chunks)
{
    return read_image(riff(chunks)).has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(image)

BOOST_AUTO_TEST_CASE(images_of_real_encoders_are_accepted)
{
    for (auto& [name, bytes, info] : samples) {
        auto read = read_image(bytes);
        BOOST_REQUIRE_MESSAGE(read.has_value(), name);
        BOOST_TEST((*read == info), name << ": " << read->width << " x " << read->height);
    }
}

BOOST_AUTO_TEST_CASE(each_format_has_its_content_type)
{
    static_assert(content_type(image_format::png) == "image/png");
    static_assert(content_type(image_format::jpeg) == "image/jpeg");
    static_assert(content_type(image_format::webp) == "image/webp");
}

BOOST_AUTO_TEST_CASE(truncated_images_are_rejected)
{
    for (auto& [name, bytes, info] : samples)
        for (std::size_t size = 0; size < bytes.size(); ++size)
            BOOST_TEST(!read_image(std::string(bytes, 0, size)), name << " cut to " << size);
}

BOOST_AUTO_TEST_CASE(only_data_after_the_end_is_ignored)
{
    for (auto& [name, bytes, info] : samples) {
        for (auto& more : {"<html><script>alert(1)</script>"s, "\n"s, "PK\x03\x04"s, "\0\0\0\1"s, bytes}) {
            BOOST_TEST((read_image(bytes + more) == info), name << " and " << more);
            BOOST_TEST(!read_image(more + "\n" + bytes) == (more != bytes), name << " after " << more);
        }
        BOOST_TEST(!read_image("\n" + bytes), name);
    }
}

BOOST_AUTO_TEST_CASE(other_formats_are_rejected)
{
    for (auto& other : {""s,
                        "\0"s,
                        "image/png"s,
                        gif,
                        "GIF89a"s,
                        "BM"s + std::string(60, '\0'),
                        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"s,
                        "<?xml version=\"1.0\"?><svg/>"s,
                        "<!doctype html>"s,
                        "%PDF-1.7"s,
                        "II*\0"s,
                        "PK\x03\x04"s,
                        "\0\0\1\0"s,
                        "\0\0\0\x1C"
                        "ftypavif"s,
                        "RIFF\x04\0\0\0WAVE"s,
                        "RIFF\x04\0\0\0WEBP"s,
                        "RIFF"s,
                        png_magic,
                        png_magic + "<html><script>alert(1)</script></html>",
                        png_magic + "\n" + png_alpha.substr(8),
                        soi,
                        soi + eoi,
                        soi + "<html>" + eoi,
                        png_animated,
                        webp_animated})
        BOOST_TEST(!read_image(other), other);
}

BOOST_AUTO_TEST_CASE(arbitrary_bytes_are_handled)
{
    for (auto& [name, bytes, info] : samples)
        for (std::size_t at = 0; at < bytes.size(); ++at)
            for (int c : {0, 1, 0x7F, 0x80, 0xD8, 0xD9, 0xDA, 0xFE, 0xFF, bytes[at] ^ 1, bytes[at] ^ 0x80}) {
                auto changed = bytes;
                changed[at] = static_cast<char>(c);
                auto read = read_image(changed);
                BOOST_REQUIRE((!read || (read->format == info.format && read->width - 1 < max_image_side &&
                                         read->height - 1 < max_image_side)));
            }
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
        auto bytes = samples[random() % samples.size()].bytes;
        for (auto changes = random() % 4; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto from = random() % bytes.size(), size = random() % 8;
        if (random() % 2)
            bytes.erase(from, size);
        else
            bytes.insert(from, bytes, random() % bytes.size(), size);
        auto read = read_image(bytes);
        BOOST_REQUIRE((!read || (read->width - 1 < max_image_side && read->height - 1 < max_image_side)));
    }
}

BOOST_AUTO_TEST_CASE(sides_are_bounded)
{
    const std::size_t one = 1, most = max_image_side;
    for (auto [width, height, is_one] :
         {std::tuple{most, most, true}, {one, one, true}, {most + 1, one, false}, {one, most + 1, false}}) {
        BOOST_TEST(is_png(png_head(width, height) + idat + iend) == is_one);
        BOOST_TEST(is_jpeg(jpeg_frame(width, height) + jpeg_scan() + entropy + eoi) == is_one);
        BOOST_TEST(is_webp(vp8(width, height)) == is_one);
        BOOST_TEST(is_webp(vp8l(width, height)) == is_one);
        BOOST_TEST(is_webp(vp8x(width, height) + vp8(width, height)) == is_one);
    }
    for (std::size_t w = 0; w < 2; ++w) {
        const auto h = 1 - w;
        BOOST_TEST(!is_png(png_head(w, h) + idat + iend));
        BOOST_TEST(!is_jpeg(jpeg_frame(w, h) + jpeg_scan() + entropy + eoi));
        BOOST_TEST(!is_webp(vp8(w, h)));
    }
    BOOST_TEST(!is_png(png_head(0x80000001, 1) + idat + iend));
}

BOOST_AUTO_TEST_CASE(a_png_needs_a_valid_header)
{
    BOOST_TEST(is_png(png_head(5, 3) + idat + iend));
    for (int color_type = 0; color_type < 8; ++color_type)
        for (int depth = 0; depth < 20; ++depth) {
            const std::string_view depths[] = {"\1\2\4\x08\x10", "", "\x08\x10", "\1\2\4\x08",
                                               "\x08\x10",       "", "\x08\x10", ""};
            bool is_allowed = depths[color_type].find(static_cast<char>(depth)) != std::string_view::npos;
            auto chunks = png_head(5, 3, depth, color_type) + png_chunk("PLTE", "abc") + idat + iend;
            BOOST_TEST(is_png(chunks) == is_allowed, color_type << " of " << depth << " bits");
        }
    for (auto& [rest, is_one] : {std::pair{"\0\0\1"s, true},
                                 {"\0\0\2"s, false},
                                 {"\0\1\0"s, false},
                                 {"\1\0\0"s, false},
                                 {"\0\0"s, false},
                                 {"\0\0\0\0"s, false}})
        BOOST_TEST(is_png(png_head(5, 3, 8, 2, rest) + idat + iend) == is_one);
    auto head = png_head(5, 3);
    head.back() ^= 1;
    BOOST_TEST(!is_png(head + idat + iend));
}

BOOST_AUTO_TEST_CASE(a_png_needs_its_chunks_in_order)
{
    const auto head = png_head(5, 3), text = png_chunk("tEXt", "a\0b"s),
               palette = png_chunk("PLTE", "abcdef");
    const auto no_pixels = png_chunk("IDAT", "");
    for (auto& good : {head + idat + idat + iend, head + text + idat + text + iend,
                       head + palette + idat + iend, head + no_pixels + idat + no_pixels + iend})
        BOOST_TEST(is_png(good), good);
    for (auto& bad : {head,
                      head + iend,
                      idat + head + iend,
                      text + head + idat + iend,
                      head + head + idat + iend,
                      head + idat,
                      head + no_pixels + iend,
                      head + idat + text + idat + iend,
                      head + idat + palette + iend,
                      head + palette + palette + idat + iend,
                      head + png_chunk("PLTE", "abcd") + idat + iend,
                      head + png_chunk("PLTE", "") + idat + iend,
                      head + png_chunk("PLTE", std::string(771, 'a')) + idat + iend,
                      head + png_chunk("ABCD", "") + idat + iend,
                      head + png_chunk("acTL", "12345678") + idat + iend,
                      head + idat + png_chunk("IEND", "a"),
                      head + idat + iend.substr(0, 8) + "abcd",
                      png_head(5, 3, 8, 3) + idat + iend,
                      head + "\x7F\xFF\xFF\xFFIDAT" + iend,
                      head + "\xFF\xFF\xFF\xFFIDAT" + iend})
        BOOST_TEST(!is_png(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_jpeg_needs_a_frame_type_that_browsers_display)
{
    for (int marker = 0xC0; marker <= 0xCF; ++marker)
        BOOST_TEST(is_jpeg(jpeg_frame(5, 3, 3, marker) + jpeg_scan() + entropy + eoi) == (marker <= 0xC2),
                   marker);
    for (std::size_t components = 0; components < 6; ++components)
        BOOST_TEST(is_jpeg(jpeg_frame(5, 3, components) + jpeg_scan() + entropy + eoi) ==
                       (components == 1 || components == 3 || components == 4),
                   components);
    auto deep = jpeg_frame(5, 3);
    deep[4] = 12;
    BOOST_TEST(!is_jpeg(deep + jpeg_scan() + entropy + eoi));
}

BOOST_AUTO_TEST_CASE(a_jpeg_needs_its_segments_in_order)
{
    const auto frame = jpeg_frame(5, 3), scan = jpeg_scan(),
               exif = segment(0xE1, "Exif\0\0"s + jpeg_baseline);
    for (auto& good : {frame + scan + entropy + eoi, exif + frame + exif + scan + entropy + eoi,
                       frame + scan + entropy + segment(0xC4, "x") + jpeg_scan(1) + entropy + eoi,
                       frame + scan + "\xFF\0"s + eoi,
                       frame + scan +
                           "a\xFF\xD0"
                           "b\xFF\xD7"
                           "c" +
                           eoi,
                       "\xFF\xFF" + frame + scan + entropy + "\xFF\xFF" + eoi,
                       segment(0xFE, eoi) + frame + scan + entropy + eoi,
                       frame + scan + entropy + eoi + soi + frame + eoi})
        BOOST_TEST(is_jpeg(good), good);
    for (auto& bad : {frame + eoi,
                      scan + entropy + eoi,
                      scan + entropy + frame + eoi,
                      frame + frame + scan + entropy + eoi,
                      frame + scan + entropy + frame + eoi,
                      frame + scan + eoi,
                      frame + scan + entropy,
                      frame + jpeg_scan(0) + entropy + eoi,
                      frame + jpeg_scan(5) + entropy + eoi,
                      frame + segment(0xDA, "") + entropy + eoi,
                      frame + segment(0xDA, "\3") + entropy + eoi,
                      "\xFF\xD0" + frame + scan + entropy + eoi,
                      soi + frame + scan + entropy + eoi,
                      "\xFF\x01" + frame + scan + entropy + eoi,
                      "a" + frame + scan + entropy + eoi,
                      "\xFF\xE0\0\0"s + frame + scan + entropy + eoi,
                      "\xFF\xE0\0\1"s + frame + scan + entropy + eoi,
                      "\xFF\xE0\xFF\xFF" + frame + scan + entropy + eoi,
                      "\xFF\0"s + frame + scan + entropy + eoi,
                      exif + eoi})
        BOOST_TEST(!is_jpeg(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_webp_needs_exactly_one_still_picture)
{
    const auto exif = webp_chunk("EXIF", "abc"), alpha = webp_chunk("ALPH", "x");
    for (auto& good : {vp8(5, 3), vp8l(5, 3), vp8x(5, 3) + vp8(5, 3), vp8x(5, 3) + vp8l(5, 3) + exif,
                       vp8x(5, 3, 0x10) + alpha + vp8(5, 3), vp8(5 | 1 << 14, 3 | 3 << 14)})
        BOOST_TEST(is_webp(good), good);
    for (auto& bad : {""s,
                      vp8(5, 3) + exif,
                      vp8(5, 3) + vp8(5, 3),
                      exif + vp8(5, 3),
                      vp8x(5, 3),
                      vp8x(5, 3) + exif,
                      vp8x(5, 3) + vp8(5, 4),
                      vp8x(5, 3) + vp8(5, 3) + vp8(5, 3),
                      vp8x(5, 3) + vp8x(5, 3) + vp8(5, 3),
                      vp8x(5, 3, 2) + vp8(5, 3),
                      vp8x(5, 3) + webp_chunk("ANIM", "abcdef") + vp8(5, 3),
                      vp8x(5, 3) + webp_chunk("ANMF", "abcdef") + vp8(5, 3),
                      webp_chunk("VP8X", "abc") + vp8(5, 3),
                      vp8x(5, 3) + vp8(5, 3) + "EXIF",
                      vp8x(5, 3) + vp8(5, 3) + "EXIF\xFF\xFF\xFF\xFF",
                      vp8(5, 3, 0x11 | 2 << 5),
                      vp8(5, 3, 2 << 5),
                      vp8(5, 3, 0x18 | 2 << 5),
                      vp8(5, 3, 0x10 | 9 << 5),
                      vp8l(5, 3, 1),
                      webp_chunk("VP8L", "/"),
                      webp_chunk("VP8L", "\x2E"
                                         "12345"),
                      webp_chunk("VP8 ", "\x10\0\0\x9D\x01\x2A"s),
                      webp_chunk("VP8 ", "")})
        BOOST_TEST(!is_webp(bad), bad);
    auto wrong = webp_lossy;
    wrong[4] ^= 2; // another size than the file's
    BOOST_TEST(!read_image(wrong));
}

BOOST_AUTO_TEST_SUITE_END()
