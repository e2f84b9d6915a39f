#include "server/config_types.hpp"

#include "handlers/access/permissions.hpp"
#include "handlers/access/text.hpp"
#include "handlers/oidc/https_client.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace server {

using schemas::path;
using schemas::validation_errors;

namespace {

void add_error(const path& at, validation_errors& errors, std::string msg)
{
    errors.add(at, "value_error", std::move(msg));
}

std::vector<std::string_view> split_list(std::string_view in)
{
    std::vector<std::string_view> out;
    while (!in.empty()) {
        auto comma = in.find(',');
        auto item = handlers::trim(in.substr(0, comma));
        if (!item.empty())
            out.push_back(item);
        in.remove_prefix(comma == std::string_view::npos ? in.size() : comma + 1);
    }
    return out;
}

/// Whether permissions of the server itself have this resource: `team` in `team:read`.
bool is_own_resource(std::string_view name)
{
    return std::ranges::any_of(handlers::permission_table::builtin(), [&](std::string_view permission) {
        return permission.substr(0, permission.find(':')) == name;
    });
}

/// Scheme, host and port as browsers write them in the Origin header (RFC 6454, section 6.2).
std::string origin_of(const boost::urls::url_view& url)
{
    auto lower = [](std::string text) {
        for (auto& c : text)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return text;
    };
    auto scheme = lower(std::string(url.scheme()));
    auto out = scheme + "://" + lower(std::string(url.encoded_host()));
    std::string_view default_port = scheme == "https" ? "443" : scheme == "http" ? "80" : "";
    if (!url.port().empty() && url.port() != default_port)
        out.append(":").append(url.port());
    return out;
}

/** Whether a browser may be sent there with a code: https, http on a loopback host (RFC 8252, section 7.3),
    or the scheme of an app. */
bool is_redirect_uri(const boost::urls::url_view& url)
{
    constexpr std::string_view unsafe[] = {"about",      "blob",       "data",    "file",
                                           "filesystem", "javascript", "vbscript"};
    std::string_view scheme = url.scheme();
    if (url.has_userinfo() ||
        std::ranges::any_of(unsafe, [&](std::string_view one) { return boost::beast::iequals(one, scheme); }))
        return false;
    if (boost::beast::iequals(scheme, "https"))
        return !url.host().empty();
    if (boost::beast::iequals(scheme, "http"))
        return handlers::is_loopback_host(url.host_address());
    return true;
}

} // namespace

std::optional<listen_setting> listen_setting::read(std::string_view in, const path& at,
                                                   validation_errors& errors)
{
    auto colon = in.rfind(':');
    std::uint16_t port = 0;
    boost::system::error_code bad;
    if (colon != std::string_view::npos) {
        auto host = in.substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']'))
            host = host.substr(1, host.size() - 2);
        auto address = boost::asio::ip::make_address(std::string(host), bad);
        auto digits = in.substr(colon + 1);
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (!bad && error == std::errc() && end == digits.data() + digits.size() && !digits.empty())
            return listen_setting{{address, port}};
    }
    add_error(at, errors, "must be address:port, such as 127.0.0.1:8080 or [::1]:8080");
    return std::nullopt;
}

std::optional<public_url_setting> public_url_setting::read(std::string_view in, const path& at,
                                                           validation_errors& errors)
{
    // In the form of the Origin header, which is compared with it: browsers write hosts in lower case and
    // leave default ports out.
    auto url = boost::urls::parse_absolute_uri(in);
    bool is_valid = url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty() &&
                    !url->has_query() && !url->has_userinfo() &&
                    in == origin_of(*url) + std::string(url->encoded_path());
    if (!is_valid) {
        add_error(
            at, errors,
            "must be a URL such as https://id.example.com: without user, query and fragment, the host in "
            "lower case, and without a default port");
        return std::nullopt;
    }
    while (in.ends_with('/'))
        in.remove_suffix(1);
    return public_url_setting{std::string(in)};
}

std::optional<master_key_setting> master_key_setting::read(std::string_view in, const path& at,
                                                           validation_errors& errors)
{
    auto keys = crypto::keyring::from_base64(in);
    if (!keys) {
        add_error(at, errors, "must be 32 bytes in base64, as `head -c 32 /dev/urandom | base64` prints");
        return std::nullopt;
    }
    return master_key_setting{std::move(keys)};
}

std::optional<password_costs_setting> password_costs_setting::read(std::string_view in, const path& at,
                                                                   validation_errors& errors)
{
    auto costs = crypto::password_costs::parse(in);
    if (!costs) {
        add_error(at, errors, "must be argon2id costs such as m=19456,t=2,p=1 (m in KiB)");
        return std::nullopt;
    }
    return password_costs_setting{*costs};
}

std::optional<cors_origins_setting> cors_origins_setting::read(std::string_view in, const path& at,
                                                               validation_errors& errors)
{
    cors_origins_setting out;
    for (auto item : split_list(in)) {
        // Origins are compared as texts: one that is written in another way than browsers do never matches.
        auto url = boost::urls::parse_absolute_uri(item);
        if (!url || url->host().empty() || item != origin_of(*url) ||
            item.find('*') != std::string_view::npos) {
            add_error(at, errors,
                      "must be origins such as https://app.example.com, separated by commas, in lower case, "
                      "without a path, a trailing slash, a default port or a wildcard");
            return std::nullopt;
        }
        out.origins.emplace_back(item);
    }
    return out;
}

std::optional<domains_setting> domains_setting::read(std::string_view in, const path& at,
                                                     validation_errors& errors)
{
    domains_setting out;
    for (auto item : split_list(in)) {
        validation_errors in_domain;
        auto domain = schemas::domain_name::read(item, at, in_domain);
        if (item != "*" && !domain) {
            add_error(at, errors, "must be *, or email domains such as example.com, separated by commas");
            return std::nullopt;
        }
        out.domains.push_back(domain ? std::move(domain->value) : std::string(item));
    }
    return out;
}

std::optional<networks_setting> networks_setting::read(std::string_view in, const path& at,
                                                       validation_errors& errors)
{
    networks_setting out;
    for (auto item : split_list(in)) {
        auto network = handlers::address_range::parse(item);
        if (!network) {
            add_error(at, errors, "must be addresses or networks such as 192.0.2.0/24, separated by commas");
            return std::nullopt;
        }
        if (network->has_host_bits()) {
            add_error(at, errors,
                      "the address in " + std::string(item) + " has bits behind the length of the network");
            return std::nullopt;
        }
        if (network->length() == 0) {
            add_error(at, errors, "must not contain all addresses: every client could choose its address");
            return std::nullopt;
        }
        out.networks.push_back(*network);
    }
    return out;
}

std::optional<resources_setting> resources_setting::read(std::string_view in, const path& at,
                                                         validation_errors& errors)
{
    resources_setting out;
    for (auto item : split_list(in)) {
        if (!std::ranges::all_of(item, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) {
            add_error(at, errors, "must be resource names such as leads, separated by commas");
            return std::nullopt;
        }
        if (is_own_resource(item)) {
            add_error(at, errors, std::string(item) + " is a resource of Latchkey itself");
            return std::nullopt;
        }
        out.names.emplace_back(item);
    }
    return out;
}

std::optional<smtp_setting> smtp_setting::read(std::string_view in, const path& at, validation_errors& errors)
{
    auto url = boost::urls::parse_absolute_uri(in);
    bool is_valid = url && (url->scheme() == "smtp" || url->scheme() == "smtps") && !url->host().empty() &&
                    (url->encoded_path().empty() || url->encoded_path() == "/") && !url->has_query() &&
                    (url->password().empty() || !url->user().empty());
    if (!is_valid) {
        add_error(at, errors, "must be a URL such as smtp://user:password@mail.example.com:587");
        return std::nullopt;
    }
    smtp_setting out;
    out.server.user = url->user();
    out.server.password = url->password();
    out.server.is_local = handlers::is_loopback_host(url->host_address());
    boost::urls::url plain(*url);
    plain.remove_userinfo();
    plain.set_encoded_path("");
    out.server.url = plain.c_str();
    return out;
}

std::optional<mailbox_setting> mailbox_setting::read(std::string_view in, const path& at,
                                                     validation_errors& errors)
{
    mailbox_setting out;
    auto address = handlers::trim(in);
    if (auto open = address.find('<'); open != std::string_view::npos && address.ends_with('>')) {
        out.value.name = handlers::trim(address.substr(0, open));
        address = address.substr(open + 1, address.size() - open - 2);
    }
    validation_errors in_address, in_name;
    auto read_address = schemas::email_address::read(address, at, in_address);
    bool has_valid_name = out.value.name.empty() || schemas::check_name(out.value.name, at, in_name);
    if (!read_address || !has_valid_name) {
        add_error(at, errors,
                  "must be an email address, or a name and an address: Example <no-reply@example.com>");
        return std::nullopt;
    }
    out.value.address = read_address->text;
    return out;
}

std::optional<issuer_setting> issuer_setting::read(std::string_view in, const path& at,
                                                   validation_errors& errors)
{
    auto local = handlers::is_loopback_url(in);
    auto url = boost::urls::parse_absolute_uri(in);
    if (!local || (!*local && !in.starts_with("https:")) || !url || url->has_query() || url->has_userinfo()) {
        add_error(at, errors,
                  "must be the issuer's URL, such as https://accounts.google.com, "
                  "without user, query and fragment");
        return std::nullopt;
    }
    return issuer_setting{std::string(in)};
}

std::optional<redirects_setting> redirects_setting::read(std::string_view in, const path& at,
                                                         validation_errors& errors)
{
    redirects_setting out;
    for (auto item : split_list(in)) {
        auto url = boost::urls::parse_absolute_uri(item);
        if (!url || !is_redirect_uri(*url)) {
            add_error(at, errors,
                      "must be absolute URLs such as https://app.example.com/signed-in, separated by commas, "
                      "without user and fragment, and http on a loopback host only");
            return std::nullopt;
        }
        out.urls.emplace_back(item);
    }
    return out;
}

std::optional<colour_setting> colour_setting::read(std::string_view in, const path& at,
                                                   validation_errors& errors)
{
    auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (in.size() == 7 && in[0] == '#' && std::ranges::all_of(in.substr(1), is_hex))
        return colour_setting{std::string(in)};
    add_error(at, errors, "must be a colour such as #3346c8");
    return std::nullopt;
}

std::optional<picture_setting> picture_setting::read(std::string_view in, const path& at,
                                                     validation_errors& errors)
{
    constexpr std::size_t max_size = std::size_t{256} << 10;
    std::ifstream file(std::string(in), std::ios::binary);
    picture_setting out;
    out.content.resize(max_size + 1);
    file.read(out.content.data(), static_cast<std::streamsize>(out.content.size()));
    out.content.resize(static_cast<std::size_t>(file.gcount()));
    if (out.content.empty() || file.bad()) {
        add_error(at, errors, "cannot be read, or is empty: " + std::string(in));
        return std::nullopt;
    }
    auto begin = out.content.find_first_not_of(" \t\r\n");
    std::string_view text = out.content;
    text.remove_prefix(begin == std::string::npos ? text.size() : begin);
    out.is_svg = (text.starts_with("<?xml") || text.starts_with("<!--") || text.starts_with("<svg")) &&
                 text.find("<svg") != text.npos;
    if (out.content.size() <= max_size && (out.is_svg || text.starts_with("\x89PNG\r\n\x1a\n")))
        return out;
    add_error(at, errors, "must be an SVG or PNG file of at most 256 KiB");
    return std::nullopt;
}

} // namespace server
