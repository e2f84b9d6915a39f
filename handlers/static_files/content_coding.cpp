#include "handlers/static_files/content_coding.hpp"

#include "handlers/http/weighted_list.hpp"

#include <boost/beast/core/string.hpp>

#include <optional>

namespace handlers {

std::string_view to_text(content_coding coding)
{
    switch (coding) {
    case content_coding::brotli:
        return "br";
    case content_coding::gzip:
        return "gzip";
    case content_coding::identity:
        break;
    }
    return {};
}

content_coding choose_coding(const request& req, available_codings available)
{
    // Weights in thousandths; nothing for what the client does not mention.
    std::optional<unsigned> given_brotli, given_gzip, given_identity, given_any;
    for (auto& [name, weight] : read_weighted_list(req, http::field::accept_encoding)) {
        if (boost::beast::iequals(name, "br"))
            given_brotli = weight;
        else if (boost::beast::iequals(name, "gzip") || boost::beast::iequals(name, "x-gzip"))
            given_gzip = weight;
        else if (boost::beast::iequals(name, "identity"))
            given_identity = weight;
        else if (name == "*")
            given_any = weight;
    }
    auto weight_of = [&](bool exists, std::optional<unsigned> given) {
        return exists ? given.value_or(given_any.value_or(0)) : 0;
    };
    auto brotli = weight_of(available.brotli, given_brotli);
    auto gzip = weight_of(available.gzip, given_gzip);
    // Identity is acceptable unless rejected, but the client prefers what it mentions.
    auto identity = given_identity.value_or(0);
    if (brotli > 0 && brotli >= gzip && brotli >= identity)
        return content_coding::brotli;
    return gzip > 0 && gzip >= identity ? content_coding::gzip : content_coding::identity;
}

} // namespace handlers
