#include "handlers/http/conditional.hpp"

#include "handlers/access/text.hpp"

namespace handlers {

namespace {

/// The part of an entity tag that a weak comparison compares (RFC 9110, section 8.8.3.2).
std::string_view opaque_part(std::string_view etag)
{
    if (etag.starts_with("W/"))
        etag.remove_prefix(2);
    return etag;
}

/// Whether a header line lists the tag. A comma may be part of a tag.
bool lists(std::string_view line, std::string_view opaque)
{
    for (;;) {
        auto begin = line.find_first_not_of(" \t,");
        if (begin == line.npos)
            return false;
        auto rest = opaque_part(line.substr(begin));
        auto end = rest.starts_with('"') ? rest.find('"', 1) : rest.npos;
        if (end == rest.npos)
            return false;
        if (rest.substr(0, end + 1) == opaque)
            return true;
        line = rest.substr(end + 1);
        if (auto next = line.find_first_not_of(" \t"); next != line.npos && line[next] != ',')
            return false;
    }
}

} // namespace

bool is_none_match(const request& req, std::string_view etag)
{
    for (auto line : req.head.lines(http::field::if_none_match))
        if (line == "*" || lists(line, opaque_part(etag)))
            return true;
    return false;
}

} // namespace handlers
