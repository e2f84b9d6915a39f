// Brand: the operator's logo and colour, as files for the pages.
#pragma once

#include "handlers/http/settings.hpp"
#include "handlers/static_files/file_tree.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handlers::pages {

/** The stylesheet for an accent colour. Text on the accent is white or black, the one with more contrast.
   Links are the accent itself, made darker on the light background and lighter on the dark one until their
   contrast is 4.5:1 (WCAG 2.2, 1.4.3): any colour gives readable pages.
    @param accent `#rrggbb` */
std::string brand_stylesheet(std::string_view accent);

/// The colour of text on the accent, `#000000` or `#ffffff`.
std::string text_on(std::string_view accent);

/// What the settings add to the tree: `brand.css`, and `brand-logo.svg` or `.png`.
std::vector<generated_file> brand_files(const brand& own);

/// The URL of the operator's logo; empty where there is none.
std::string logo_url(const file_tree& files);

} // namespace handlers::pages
