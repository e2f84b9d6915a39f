#include "handlers/pages/brand.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace handlers::pages {

namespace {

/// sRGB, each from 0 to 255.
using colour = std::array<double, 3>;

constexpr colour white{255, 255, 255}, black{0, 0, 0};
/// The surfaces of tokens.css that have links on them: the plain one, and the one that contrasts least.
struct theme {
    colour surface, least;
};
constexpr theme light{{255, 255, 255}, {238, 240, 244}}, dark{{24, 27, 34}, {34, 38, 47}};
/// The part of the colour of links in --accent-surface, which has links on it too.
constexpr double accent_share = 0.1;
constexpr double least_contrast = 4.5;

colour parse(std::string_view text)
{
    colour out{};
    for (std::size_t i = 0; i < 3; ++i) {
        unsigned value = 0;
        std::from_chars(text.data() + 1 + 2 * i, text.data() + 3 + 2 * i, value, 16);
        out.at(i) = value;
    }
    return out;
}

std::string to_css(const colour& of)
{
    std::array<char, 8> out;
    std::snprintf(out.data(), out.size(), "#%02lx%02lx%02lx", std::lround(of[0]), std::lround(of[1]),
                  std::lround(of[2]));
    return out.data();
}

/// WCAG 2.2, "relative luminance".
double luminance(const colour& of)
{
    auto linear = [](double part) {
        part /= 255;
        return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(of[0]) + 0.7152 * linear(of[1]) + 0.0722 * linear(of[2]);
}

double contrast(const colour& a, const colour& b)
{
    auto [darker, lighter] = std::minmax({luminance(a), luminance(b)});
    return (lighter + 0.05) / (darker + 0.05);
}

colour mix(const colour& of, const colour& with, double share)
{
    colour out{};
    for (std::size_t i = 0; i < out.size(); ++i)
        out.at(i) = std::round(of.at(i) + (with.at(i) - of.at(i)) * share);
    return out;
}

/// The colour of links, moved towards black or white until it can be read on every surface of the theme.
colour readable(const colour& of, const theme& on, const colour& towards)
{
    for (double share = 0; share < 1; share += 0.02) {
        auto moved = mix(of, towards, share);
        auto tinted = mix(on.surface, moved, accent_share);
        if (contrast(moved, on.least) >= least_contrast && contrast(moved, tinted) >= least_contrast)
            return moved;
    }
    return towards;
}

bool has_white_text(const colour& accent)
{
    return contrast(accent, white) >= contrast(accent, black);
}

} // namespace

std::string text_on(std::string_view accent)
{
    return to_css(has_white_text(parse(accent)) ? white : black);
}

std::string brand_stylesheet(std::string_view accent)
{
    auto own = parse(accent);
    auto strong = mix(own, has_white_text(own) ? black : white, 0.15);
    return ":root{--accent:" + to_css(own) + ";--accent-strong:" + to_css(strong) +
           ";--on-accent:" + text_on(accent) + ";--link:light-dark(" + to_css(readable(own, light, black)) +
           "," + to_css(readable(own, dark, white)) + ")}\n";
}

std::vector<generated_file> brand_files(const brand& own)
{
    std::vector<generated_file> out;
    if (!own.accent.empty())
        out.push_back({"brand.css", "text/css", brand_stylesheet(own.accent)});
    if (!own.logo.empty())
        out.push_back({own.is_logo_svg ? "brand-logo.svg" : "brand-logo.png",
                       own.is_logo_svg ? "image/svg+xml" : "image/png", own.logo});
    return out;
}

std::string logo_url(const file_tree& files)
{
    for (auto name : {"brand-logo.svg", "brand-logo.png"})
        if (files.contains(name))
            return files.url(name);
    return {};
}

} // namespace handlers::pages
