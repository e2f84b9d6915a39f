#include "handlers/http/weighted_list.hpp"

#include "handlers/access/text.hpp"

#include <boost/beast/core/string.hpp>

namespace handlers {

namespace {

constexpr std::size_t max_items = 64;

/// The part before a separator. Removes it and the separator from `rest`.
std::string_view take_until(std::string_view& rest, char separator)
{
    auto end = rest.find(separator);
    auto out = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return trim(out);
}

/// `0` to `1` with up to three decimals; 0 for anything else.
unsigned parse_weight(std::string_view text)
{
    bool has_form = !text.empty() && text.size() <= 5 && (text[0] == '0' || text[0] == '1') &&
                    (text.size() == 1 || text[1] == '.');
    if (!has_form)
        return 0;
    unsigned out = text[0] == '1' ? 1000 : 0;
    unsigned unit = 100;
    for (char digit : text.substr(text.size() == 1 ? 1 : 2)) {
        if (digit < '0' || digit > '9')
            return 0;
        out += static_cast<unsigned>(digit - '0') * unit;
        unit /= 10;
    }
    return out <= 1000 ? out : 0;
}

weighted_item read_item(std::string_view text)
{
    weighted_item out;
    out.name = take_until(text, ';');
    while (!text.empty()) {
        auto value = take_until(text, ';');
        auto name = take_until(value, '=');
        if (boost::beast::iequals(name, "q"))
            out.weight = parse_weight(trim(value));
    }
    return out;
}

} // namespace

std::vector<weighted_item> read_weighted_list(const request& req, http::field name)
{
    std::vector<weighted_item> out;
    for (auto rest : req.head.lines(name)) {
        while (!rest.empty() && out.size() < max_items) {
            auto item = read_item(take_until(rest, ','));
            if (!item.name.empty())
                out.push_back(item);
        }
    }
    return out;
}

} // namespace handlers
