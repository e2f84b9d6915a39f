#include "handlers/pages/texts/messages.hpp"

#include "handlers/http/weighted_list.hpp"

#include <boost/beast/core/string.hpp>

namespace handlers::pages {

namespace {

/// Of accounts that have not chosen any.
constexpr std::string_view default_locale = "en";

constexpr language all[] = {{"en", &english}, {"de", &german}};

/// The language of a tag, without its region: RFC 4647's lookup with one subtag in our list.
const language* find(std::string_view tag)
{
    auto primary = tag.substr(0, tag.find_first_of("-_"));
    for (auto& one : all)
        if (boost::beast::iequals(one.tag, primary))
            return &one;
    return nullptr;
}

} // namespace

std::span<const language> languages()
{
    return all;
}

const language& choose_language(std::string_view locale, const request& req)
{
    auto known = locale == default_locale ? nullptr : find(locale);
    if (known)
        return *known;
    const language* best = &all[0];
    unsigned best_weight = 0;
    for (auto& [range, weight] : read_weighted_list(req, http::field::accept_language)) {
        auto found = range == "*" ? &all[0] : find(range);
        if (found && weight > best_weight) {
            best = found;
            best_weight = weight;
        }
    }
    return *best;
}

} // namespace handlers::pages
