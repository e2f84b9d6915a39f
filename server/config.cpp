#include "server/config.hpp"

#include "crypto/jwks.hpp"
#include "handlers/http/message.hpp"
#include "handlers/oidc/https_client.hpp"
#include "schemas/engine/types.hpp"

#include <boost/describe/class.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

namespace server {

namespace {

using schemas::fault_list;
using schemas::path;

void refuse(const path& at, fault_list& faults, std::string msg)
{
    faults.add(at, "value_error", std::move(msg));
}

// Settings that are more than text or a number are types of their own, each with its rule.

struct listen_text {
    boost::asio::ip::tcp::endpoint endpoint;

    static std::optional<listen_text> read(std::string_view in, const path& at, fault_list& faults)
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
                return listen_text{{address, port}};
        }
        refuse(at, faults, "must be address:port, such as 127.0.0.1:8080 or [::1]:8080");
        return std::nullopt;
    }
};

struct url_text {
    std::string value;

    static std::optional<url_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        auto url = boost::urls::parse_absolute_uri(in);
        bool web = url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty() &&
                   !url->has_query() && !url->has_userinfo();
        if (!web) {
            refuse(at, faults, "must be a URL such as https://id.example.com, without a query");
            return std::nullopt;
        }
        while (in.ends_with('/'))
            in.remove_suffix(1);
        return url_text{std::string(in)};
    }
};

struct master_key_text {
    std::optional<crypto::keyring> keys;

    static std::optional<master_key_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        auto keys = crypto::keyring::from_base64(in);
        if (!keys) {
            refuse(at, faults, "must be 32 bytes in base64, as `head -c 32 /dev/urandom | base64` prints");
            return std::nullopt;
        }
        return master_key_text{std::move(keys)};
    }
};

struct costs_text {
    crypto::password_costs costs;

    static std::optional<costs_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        auto costs = crypto::password_costs::parse(in);
        if (!costs) {
            refuse(at, faults, "must be argon2id costs such as m=19456,t=2,p=1 (m in KiB)");
            return std::nullopt;
        }
        return costs_text{*costs};
    }
};

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

struct origins_text {
    std::vector<std::string> origins;

    static std::optional<origins_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        origins_text out;
        for (auto item : split_list(in)) {
            auto url = boost::urls::parse_absolute_uri(item);
            bool is_origin = url && !url->host().empty() && url->encoded_path().empty() && !url->has_query();
            if (!is_origin) {
                refuse(at, faults, "must be origins such as https://app.example.com, separated by commas");
                return std::nullopt;
            }
            out.origins.emplace_back(item);
        }
        return out;
    }
};

struct networks_text {
    std::vector<handlers::address_range> networks;

    static std::optional<networks_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        networks_text out;
        for (auto item : split_list(in)) {
            auto network = handlers::address_range::parse(item);
            if (!network) {
                refuse(at, faults, "must be addresses or networks such as 10.0.0.0/8, separated by commas");
                return std::nullopt;
            }
            out.networks.push_back(*network);
        }
        return out;
    }
};

struct resources_text {
    std::vector<std::string> names;

    static std::optional<resources_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        resources_text out;
        for (auto item : split_list(in)) {
            if (!std::ranges::all_of(item, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) {
                refuse(at, faults, "must be resource names such as leads, separated by commas");
                return std::nullopt;
            }
            out.names.emplace_back(item);
        }
        return out;
    }
};

struct smtp_text {
    smtp_settings server;

    static std::optional<smtp_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        auto url = boost::urls::parse_absolute_uri(in);
        bool sound = url && (url->scheme() == "smtp" || url->scheme() == "smtps") && !url->host().empty() &&
                     (url->encoded_path().empty() || url->encoded_path() == "/") && !url->has_query();
        if (!sound) {
            refuse(at, faults, "must be a URL such as smtp://user:password@mail.example.com:587");
            return std::nullopt;
        }
        smtp_text out;
        out.server.user = url->user();
        out.server.password = url->password();
        out.server.is_local = handlers::is_loopback_host(url->host_address());
        boost::urls::url plain(*url);
        plain.remove_userinfo();
        plain.set_encoded_path("");
        out.server.url = plain.c_str();
        return out;
    }
};

struct mailbox_text {
    mailbox whose;

    static std::optional<mailbox_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        mailbox_text out;
        auto address = handlers::trim(in);
        if (auto open = address.find('<'); open != std::string_view::npos && address.ends_with('>')) {
            out.whose.name = handlers::trim(address.substr(0, open));
            address = address.substr(open + 1, address.size() - open - 2);
        }
        fault_list in_address, in_name;
        auto read_address = schemas::email_address::read(address, at, in_address);
        bool has_good_name = out.whose.name.empty() || schemas::check_name(out.whose.name, at, in_name);
        if (!read_address || !has_good_name) {
            refuse(at, faults, "must be a mail address, or a name with one: Example <no-reply@example.com>");
            return std::nullopt;
        }
        out.whose.address = read_address->text;
        return out;
    }
};

/** A provider is asked over TLS, unless it is on this machine. */
struct issuer_text {
    std::string value;

    static std::optional<issuer_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        auto local = handlers::is_loopback_url(in);
        if (!local || (!*local && !in.starts_with("https:"))) {
            refuse(at, faults, "must be the issuer's URL, such as https://accounts.google.com");
            return std::nullopt;
        }
        return issuer_text{std::string(in)};
    }
};

struct redirects_text {
    std::vector<std::string> urls;

    static std::optional<redirects_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        redirects_text out;
        for (auto item : split_list(in)) {
            auto url = boost::urls::parse_absolute_uri(item);
            if (!url || url->scheme() == "javascript" || url->scheme() == "data") {
                refuse(at, faults,
                       "must be URLs such as https://app.example.com/signed-in, separated by commas");
                return std::nullopt;
            }
            out.urls.emplace_back(item);
        }
        return out;
    }
};

enum class verification_mode { optional, required };
BOOST_DESCRIBE_ENUM(verification_mode, optional, required)

enum class argon2_name { own, libargon2 };
BOOST_DESCRIBE_ENUM(argon2_name, own, libargon2)

enum class jwt_algorithm_name { ES256, EdDSA };
BOOST_DESCRIBE_ENUM(jwt_algorithm_name, ES256, EdDSA)

enum class level_name { debug, info, warning, error };
BOOST_DESCRIBE_ENUM(level_name, debug, info, warning, error)

using seconds_text = schemas::integer<1, 315'360'000>;

/** Every setting as it may be written. The member's name is the variable's and the flag's. */
struct written {
    std::optional<schemas::text<1, 4096>> data_dir;
    std::optional<listen_text> listen;
    std::optional<schemas::text<1, 4096>> database_url;
    std::optional<url_text> public_url;
    std::optional<master_key_text> master_key;
    std::optional<schemas::integer<1, 1024>> threads;
    std::optional<schemas::integer<0, 1'000'000'000>> rate_limit_per_minute;
    std::optional<costs_text> password_hash;
    std::optional<argon2_name> argon2;
    std::optional<jwt_algorithm_name> jwt_algorithm;
    std::optional<level_name> log_level;
    std::optional<origins_text> cors_origins;
    std::optional<networks_text> trusted_proxies;
    std::optional<resources_text> extra_resources;
    std::optional<seconds_text> access_token_ttl;
    std::optional<seconds_text> refresh_token_ttl;
    std::optional<seconds_text> verify_token_ttl;
    std::optional<seconds_text> reset_token_ttl;
    std::optional<seconds_text> invite_ttl;
    std::optional<verification_mode> email_verification;
    std::optional<smtp_text> smtp_url;
    std::optional<mailbox_text> mail_from;
    std::optional<schemas::text<1, 512>> google_client_id;
    std::optional<schemas::text<1, 512>> google_client_secret;
    std::optional<issuer_text> google_issuer;
    std::optional<redirects_text> redirect_allowlist;
    std::optional<schemas::integer<1, 64>> database_connections;
    std::optional<schemas::integer<1, 1'048'576>> cache_mib;
    std::optional<bool> prepared_statements;
    std::optional<bool> migrate;
};
BOOST_DESCRIBE_STRUCT(written, (),
                      (data_dir, listen, database_url, public_url, master_key, threads, rate_limit_per_minute,
                       password_hash, argon2, jwt_algorithm, log_level, cors_origins, trusted_proxies,
                       extra_resources, access_token_ttl, refresh_token_ttl, verify_token_ttl,
                       reset_token_ttl, invite_ttl, email_verification, smtp_url, mail_from, google_client_id,
                       google_client_secret, google_issuer, redirect_allowlist, database_connections,
                       cache_mib, prepared_statements, migrate))

constexpr std::string_view variable_prefix = "LATCHKEY_";

std::string variable_of(std::string_view name)
{
    std::string out(variable_prefix);
    for (char c : name)
        out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    return out;
}

std::string line_of(const schemas::fault& fault)
{
    auto name = std::get<std::string>(fault.loc.back());
    return variable_of(name) + ": " + fault.msg;
}

bool is_known(std::string_view name)
{
    return std::ranges::count(schemas::member_names<written>, name) > 0;
}

/** The URL that clients reach this server by unless told otherwise. */
std::string url_of(const boost::asio::ip::tcp::endpoint& listen)
{
    auto host = listen.address().to_string();
    if (listen.address().is_v6())
        host = "[" + host + "]";
    return "http://" + host + ":" + std::to_string(listen.port());
}

unsigned cores()
{
    auto n = std::thread::hardware_concurrency();
    return n ? n : 1;
}

/** The first duplicate is the one that counts: flags stand before variables. */
settings_text merge(settings_text environment, settings_text flags)
{
    for (auto& setting : environment)
        if (std::ranges::find(flags, setting.first, &settings_text::value_type::first) == flags.end())
            flags.push_back(std::move(setting));
    return flags;
}

config from(written in)
{
    config out(*in.master_key->keys);
    out.listen = in.listen ? in.listen->endpoint
                           : boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 8080);
    out.threads = in.threads ? static_cast<unsigned>(in.threads->value) : cores();
    out.level = static_cast<log_level>(in.log_level.value_or(level_name::info));
    if (in.trusted_proxies)
        out.trusted_proxies = std::move(in.trusted_proxies->networks);
    out.migrate = in.migrate.value_or(true);
    out.prepared_statements = in.prepared_statements.value_or(true);
    if (in.data_dir)
        out.data_dir = std::move(in.data_dir->value);
    if (in.smtp_url)
        out.smtp = std::move(in.smtp_url->server);
    out.mail_from = in.mail_from ? std::move(in.mail_from->whose) : mailbox{"Latchkey", "no-reply@localhost"};
    out.database_url = std::move(in.database_url->value);
    if (in.google_client_id)
        out.google = google_settings{
            in.google_issuer ? std::move(in.google_issuer->value) : std::string(crypto::google_issuer),
            std::move(in.google_client_id->value), std::move(in.google_client_secret->value)};
    if (in.database_connections)
        out.database_connections = static_cast<std::size_t>(in.database_connections->value);
    // A queue of half a second to two seconds of work, by how they are hashed: who waits longer than that is
    // better told to come back.
    out.hash_queue = 64 * std::size_t{out.threads};
    if (in.argon2 == argon2_name::libargon2)
        out.argon2 = crypto::argon2_engine::libargon2;
    out.cache_bytes = static_cast<std::size_t>(in.cache_mib ? in.cache_mib->value : 256) << 20;

    auto& h = out.handlers;
    h.public_url = in.public_url ? std::move(in.public_url->value) : url_of(out.listen);
    if (in.access_token_ttl)
        h.access_token_ttl = std::chrono::seconds(in.access_token_ttl->value);
    if (in.refresh_token_ttl)
        h.refresh_token_ttl = std::chrono::seconds(in.refresh_token_ttl->value);
    if (in.verify_token_ttl)
        h.verify_token_ttl = std::chrono::seconds(in.verify_token_ttl->value);
    if (in.reset_token_ttl)
        h.reset_token_ttl = std::chrono::seconds(in.reset_token_ttl->value);
    if (in.invite_ttl)
        h.invite_ttl = std::chrono::seconds(in.invite_ttl->value);
    h.verification_required = in.email_verification == verification_mode::required;
    if (in.rate_limit_per_minute)
        h.rate_limit_per_minute = static_cast<std::uint32_t>(in.rate_limit_per_minute->value);
    if (in.cors_origins)
        h.cors_origins = std::move(in.cors_origins->origins);
    if (in.redirect_allowlist)
        h.redirect_allowlist = std::move(in.redirect_allowlist->urls);
    if (in.extra_resources)
        h.extra_resources = std::move(in.extra_resources->names);
    h.jwt_algorithm = in.jwt_algorithm == jwt_algorithm_name::EdDSA ? crypto::jwt_algorithm::eddsa
                                                                    : crypto::jwt_algorithm::es256;
    if (in.password_hash)
        h.password_costs = in.password_hash->costs;
    return out;
}

} // namespace

db::pipeline::config database_settings(const config& settings)
{
    db::pipeline::config out;
    out.conninfo = settings.database_url;
    out.prepare = settings.prepared_statements;
    return out;
}

std::string config::site_name() const
{
    auto url = boost::urls::parse_absolute_uri(handlers.public_url);
    return url ? std::string(url->host()) : handlers.public_url;
}

settings_text read_environment(char** environment)
{
    settings_text out;
    for (; environment && *environment; ++environment) {
        std::string_view line = *environment;
        auto equals = line.find('=');
        if (!line.starts_with(variable_prefix) || equals == std::string_view::npos)
            continue;
        std::string name;
        for (char c : line.substr(variable_prefix.size(), equals - variable_prefix.size()))
            name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        if (!is_known(name))
            log_line(log_level::warning, "unknown setting").add("variable", line.substr(0, equals));
        else if (equals + 1 < line.size()) // an empty variable is an unset one
            out.emplace_back(std::move(name), std::string(line.substr(equals + 1)));
    }
    return out;
}

std::variant<settings_text, std::string> read_flags(std::span<char* const> arguments)
{
    settings_text out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view flag = arguments[i];
        auto equals = flag.find('=');
        std::string name(flag.substr(0, equals));
        if (name.size() < 3 || !name.starts_with("--"))
            return std::string(flag) + ": there is no such argument; see --help";
        name.erase(0, 2);
        std::ranges::replace(name, '-', '_');
        if (!is_known(name))
            return std::string(flag.substr(0, equals)) + ": there is no such flag; see --help";
        if (equals != std::string_view::npos)
            out.emplace_back(std::move(name), std::string(flag.substr(equals + 1)));
        else if (i + 1 < arguments.size())
            out.emplace_back(std::move(name), std::string(arguments[++i]));
        else
            return std::string(flag) + ": a value is missing";
    }
    return out;
}

std::variant<config, std::vector<std::string>> make_config(settings_text environment, settings_text flags)
{
    auto given = merge(std::move(environment), std::move(flags));
    auto read = schemas::parse_pairs<written>(given, "settings");
    std::vector<std::string> wrong;
    wrong.reserve(read.faults.size() + 2);
    for (auto& fault : read.faults)
        wrong.push_back(line_of(fault));
    if (read.value && !read.value->database_url)
        wrong.emplace_back("LATCHKEY_DATABASE_URL: is needed, for example postgresql://user@host/latchkey");
    if (read.value && !read.value->master_key)
        wrong.emplace_back("LATCHKEY_MASTER_KEY: is needed: 32 bytes in base64, as `head -c 32 /dev/urandom "
                           "| base64` prints");
    if (read.value && read.value->smtp_url && !read.value->mail_from)
        wrong.emplace_back(
            "LATCHKEY_MAIL_FROM: is needed with LATCHKEY_SMTP_URL: the address that mail comes from");
    if (read.value &&
        read.value->google_client_id.has_value() != read.value->google_client_secret.has_value())
        wrong.emplace_back(
            "LATCHKEY_GOOGLE_CLIENT_ID: goes with LATCHKEY_GOOGLE_CLIENT_SECRET, and one without the "
            "other is of no use");
    if (read.value && read.value->google_issuer && !read.value->google_client_id)
        wrong.emplace_back("LATCHKEY_GOOGLE_ISSUER: is of no use without LATCHKEY_GOOGLE_CLIENT_ID");
    if (!wrong.empty())
        return wrong;
    return from(std::move(*read.value));
}

} // namespace server
