// The operator's colour: readable for every choice.
#include "handlers/pages/brand.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <regex>
#include <string>
#include <vector>

using namespace handlers;

namespace {

double luminance(const std::string& css)
{
    double out = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (std::size_t i = 0; i < 3; ++i) {
        auto part = std::stoi(css.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
        out += weights[i] * (part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4));
    }
    return out;
}

double contrast(const std::string& a, const std::string& b)
{
    auto [low, high] = std::minmax({luminance(a), luminance(b)});
    return (high + 0.05) / (low + 0.05);
}

/// What `color-mix(in srgb, a 10%, b)` is: --accent-surface of tokens.css.
std::string tinted(const std::string& link, const std::string& surface)
{
    std::string out = "#";
    for (std::size_t i = 0; i < 3; ++i) {
        auto part = [i](const std::string& css) { return std::stoi(css.substr(1 + 2 * i, 2), nullptr, 16); };
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x",
                      static_cast<unsigned>(std::lround(part(link) * 0.1 + part(surface) * 0.9)));
        out += digits;
    }
    return out;
}

std::vector<std::string> colours_in(const std::string& css)
{
    std::regex colour("#[0-9a-f]{6}");
    return {std::sregex_token_iterator(css.begin(), css.end(), colour), {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(brand)

BOOST_AUTO_TEST_CASE(text_can_be_read_with_any_accent)
{
    for (int red = 0; red < 256; red += 51)
        for (int green = 0; green < 256; green += 51)
            for (int blue = 0; blue < 256; blue += 51) {
                char accent[8];
                std::snprintf(accent, sizeof accent, "#%02x%02x%02x", red, green, blue);
                auto found = colours_in(pages::brand_stylesheet(accent));
                BOOST_REQUIRE(found.size() == 5u); // accent, strong, on it, link in light and dark
                BOOST_TEST(found[0] == accent);
                BOOST_TEST(contrast(found[0], found[2]) >= 4.5, accent);
                BOOST_TEST(contrast(found[1], found[2]) >= 4.5, accent);
                for (auto light : {"#ffffff", "#f4f5f8", "#eef0f4"})
                    BOOST_TEST(contrast(found[3], light) >= 4.5, accent << " on " << light);
                for (auto dark : {"#0f1116", "#181b22", "#22262f"})
                    BOOST_TEST(contrast(found[4], dark) >= 4.5, accent << " on " << dark);
                BOOST_TEST(contrast(found[3], tinted(found[3], "#ffffff")) >= 4.5, accent);
                BOOST_TEST(contrast(found[4], tinted(found[4], "#181b22")) >= 4.5, accent);
            }
}

BOOST_AUTO_TEST_CASE(the_settings_make_files)
{
    BOOST_TEST(pages::brand_files({}).empty());
    handlers::brand own;
    own.accent = "#FF8800";
    own.logo = "<svg/>";
    own.is_logo_svg = true;
    auto files = pages::brand_files(own);
    BOOST_REQUIRE(files.size() == 2u);
    BOOST_TEST(files[0].name == "brand.css");
    BOOST_TEST(files[1].name == "brand-logo.svg");
    BOOST_TEST(files[1].content_type == "image/svg+xml");
}

BOOST_AUTO_TEST_SUITE_END()
