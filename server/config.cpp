#include "server/config.hpp"

#include "crypto/id_token.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "schemas/engine/types.hpp"
#include "server/config_types.hpp"
#include "server/secret_files.hpp"

#include <boost/describe/class.hpp>

#include <algorithm>
#include <thread>

namespace server {

namespace {

/// The look of the pages.
struct raw_brand {
    std::optional<schemas::name_text<1, 64>> brand_name;
    std::optional<picture_setting> brand_logo;
    std::optional<colour_setting> brand_accent;
};
BOOST_DESCRIBE_STRUCT(raw_brand, (), (brand_name, brand_logo, brand_accent))

/** All settings, validated one by one. A member's name is that of its flag, and of its variable in lower
    case. */
struct raw_settings : raw_brand {
    std::optional<schemas::text<1, 4096>> data_dir;
    std::optional<listen_setting> listen;
    std::optional<listen_setting> admin_listen;
    std::optional<schemas::text<1, 4096>> tls_cert;
    std::optional<schemas::text<1, 4096>> tls_key;
    std::optional<schemas::text<1, 4096>> tls_client_ca;
    std::optional<schemas::text<1, 4096>> database_url;
    std::optional<public_url_setting> public_url;
    std::optional<master_key_setting> master_key;
    std::optional<schemas::integer<1, 1024>> threads;
    std::optional<schemas::integer<0, 1'000'000'000>> rate_limit_per_minute;
    std::optional<password_costs_setting> password_hash;
    std::optional<argon2_name> argon2;
    std::optional<jwt_algorithm_name> jwt_algorithm;
    std::optional<log_level_name> log_level;
    std::optional<cors_origins_setting> cors_origins;
    std::optional<networks_setting> trusted_proxies;
    std::optional<resources_setting> extra_resources;
    std::optional<seconds_setting> access_token_ttl;
    std::optional<seconds_setting> refresh_token_ttl;
    std::optional<seconds_setting> session_max_age;
    std::optional<seconds_setting> session_retention;
    std::optional<seconds_setting> api_key_retention;
    std::optional<seconds_setting> audit_retention;
    std::optional<seconds_setting> device_retention;
    std::optional<seconds_setting> invite_retention;
    std::optional<seconds_setting> mail_retention;
    std::optional<seconds_setting> verify_token_ttl;
    std::optional<seconds_setting> reset_token_ttl;
    std::optional<seconds_setting> invite_ttl;
    std::optional<verification_mode> email_verification;
    std::optional<smtp_setting> smtp_url;
    std::optional<mailbox_setting> mail_from;
    std::optional<schemas::integer<2, 256>> smtp_connections;
    std::optional<schemas::integer<0, 100'000'000>> mail_per_recipient;
    std::optional<schemas::integer<0, 100'000'000>> mail_per_sender;
    std::optional<schemas::integer<0, 100'000'000>> mail_per_hour;
    std::optional<schemas::text<1, 512>> google_client_id;
    std::optional<schemas::text<1, 512>> google_client_secret;
    std::optional<issuer_setting> google_issuer;
    std::optional<domains_setting> google_authoritative_domains;
    std::optional<redirects_setting> redirect_allowlist;
    std::optional<schemas::integer<1, 64>> database_connections;
    std::optional<schemas::integer<1, 1'048'576>> cache_mib;
    std::optional<schemas::integer<4, 1'048'576>> body_mib;
    std::optional<schemas::integer<0, 100'000'000>> max_connections;
    std::optional<schemas::integer<0, 100'000'000>> max_connections_per_network;
    std::optional<bool> prepared_statements;
    std::optional<bool> proxy_protocol;
    std::optional<bool> migrate;
    std::optional<schemas::integer<0, 600>> drain_delay;
};
BOOST_DESCRIBE_STRUCT(raw_settings, (raw_brand),
                      (data_dir, listen, admin_listen, tls_cert, tls_key, tls_client_ca, database_url,
                       public_url, master_key, threads, rate_limit_per_minute, password_hash, argon2,
                       jwt_algorithm, log_level, cors_origins, trusted_proxies, extra_resources,
                       access_token_ttl, refresh_token_ttl, session_max_age, session_retention,
                       api_key_retention, audit_retention, device_retention, invite_retention, mail_retention,
                       verify_token_ttl, reset_token_ttl, invite_ttl, email_verification, smtp_url, mail_from,
                       smtp_connections, mail_per_recipient, mail_per_sender, mail_per_hour, google_client_id,
                       google_client_secret, google_issuer, google_authoritative_domains, redirect_allowlist,
                       database_connections, cache_mib, body_mib, max_connections,
                       max_connections_per_network, prepared_statements, proxy_protocol, migrate,
                       drain_delay))

constexpr std::pair<std::optional<seconds_setting> raw_settings::*,
                    std::chrono::seconds db::retention_periods::*>
    retention_settings[] = {
        {&raw_settings::session_retention, &db::retention_periods::sessions},
        {&raw_settings::api_key_retention, &db::retention_periods::api_keys},
        {&raw_settings::audit_retention, &db::retention_periods::audit},
        {&raw_settings::device_retention, &db::retention_periods::devices},
        {&raw_settings::invite_retention, &db::retention_periods::invites},
        {&raw_settings::mail_retention, &db::retention_periods::failed_mail},
};

constexpr std::string_view variable_prefix = "LATCHKEY_";

std::string describe(const schemas::validation_error& error)
{
    auto name = std::get<std::string>(error.loc.back());
    return variable_of(name) + ": " + error.msg;
}

bool is_known(std::string_view name)
{
    return std::ranges::count(schemas::member_names<raw_settings>, name) > 0 || secret_in_file(name);
}

/// Default of LATCHKEY_PUBLIC_URL.
std::string default_public_url(const boost::asio::ip::tcp::endpoint& listen, bool has_tls)
{
    auto host = listen.address().to_string();
    if (listen.address().is_v6())
        host = "[" + host + "]";
    return (has_tls ? "https://" : "http://") + host + ":" + std::to_string(listen.port());
}

unsigned count_cores()
{
    auto n = std::thread::hardware_concurrency();
    return n ? n : 1;
}

/// Flags, and the variables that no flag overrides.
setting_list merge(setting_list environment, setting_list flags)
{
    for (auto& setting : environment)
        if (std::ranges::find(flags, setting.first, &setting_list::value_type::first) == flags.end())
            flags.push_back(std::move(setting));
    return flags;
}

const handlers::settings defaults;

/// Idle connections take some 8 kB each.
constexpr std::int64_t default_max_connections = 65'536, default_max_per_network = 16'384;
/// Of a core: two of the largest bodies.
constexpr std::size_t least_body_memory = std::size_t{4} << 20;

boost::asio::ip::tcp::endpoint listen_address(const raw_settings& in)
{
    return in.listen ? in.listen->endpoint
                     : boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 8080);
}

/// Whether two listeners would accept the same connections.
bool overlap(const boost::asio::ip::tcp::endpoint& a, const boost::asio::ip::tcp::endpoint& b)
{
    return a.port() != 0 && a.port() == b.port() &&
           (a.address() == b.address() || a.address().is_unspecified() || b.address().is_unspecified());
}

/// Settings that are required, settings that require each other, and settings that contradict each other.
void check_combinations(const raw_settings& in, std::vector<std::string>& errors)
{
    if (!in.database_url)
        errors.emplace_back(
            "LATCHKEY_DATABASE_URL: is required, for example postgresql://user@host/latchkey");
    if (!in.master_key)
        errors.emplace_back("LATCHKEY_MASTER_KEY: is required: 32 bytes in base64, as printed by "
                            "`head -c 32 /dev/urandom | base64`");
    if (in.smtp_url && !in.mail_from)
        errors.emplace_back("LATCHKEY_MAIL_FROM: is required with LATCHKEY_SMTP_URL: the sender's address");
    if (in.google_client_id.has_value() != in.google_client_secret.has_value())
        errors.emplace_back(
            "LATCHKEY_GOOGLE_CLIENT_ID: requires LATCHKEY_GOOGLE_CLIENT_SECRET, and vice versa");
    if (in.google_issuer && !in.google_client_id)
        errors.emplace_back("LATCHKEY_GOOGLE_ISSUER: requires LATCHKEY_GOOGLE_CLIENT_ID");
    if (in.google_authoritative_domains &&
        (!in.google_issuer || in.google_issuer->value == crypto::google_issuer))
        errors.emplace_back(
            "LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS: requires LATCHKEY_GOOGLE_ISSUER of another "
            "provider; Google's tokens say themselves which addresses it is authoritative for");
    if (in.admin_listen && overlap(in.admin_listen->endpoint, listen_address(in)))
        errors.emplace_back("LATCHKEY_ADMIN_LISTEN: must be another address or port than LATCHKEY_LISTEN");
    if (in.tls_cert.has_value() != in.tls_key.has_value())
        errors.emplace_back("LATCHKEY_TLS_CERT: requires LATCHKEY_TLS_KEY, and vice versa");
    if (in.tls_client_ca && !in.tls_cert)
        errors.emplace_back("LATCHKEY_TLS_CLIENT_CA: requires LATCHKEY_TLS_CERT and LATCHKEY_TLS_KEY");
    if (in.proxy_protocol.value_or(false) && !in.trusted_proxies)
        errors.emplace_back(
            "LATCHKEY_PROXY_PROTOCOL: requires LATCHKEY_TRUSTED_PROXIES: the proxies that use it");
    auto refresh = in.refresh_token_ttl ? in.refresh_token_ttl->value : defaults.refresh_token_ttl.count();
    if (in.access_token_ttl && in.access_token_ttl->value > refresh)
        errors.emplace_back(
            "LATCHKEY_ACCESS_TOKEN_TTL: must not be longer than LATCHKEY_REFRESH_TOKEN_TTL, " +
            std::to_string(refresh) + " seconds");
}

config to_config(raw_settings in)
{
    config out(*in.master_key->keys);

    // The process.
    out.listen = listen_address(in);
    if (in.admin_listen)
        out.admin_listen = in.admin_listen->endpoint;
    if (in.tls_cert)
        out.tls = tls_settings{std::move(in.tls_cert->value), std::move(in.tls_key->value),
                               in.tls_client_ca ? std::move(in.tls_client_ca->value) : std::string()};
    if (in.drain_delay)
        out.limits.drain_delay = std::chrono::seconds(in.drain_delay->value);
    out.threads = in.threads ? static_cast<unsigned>(in.threads->value) : count_cores();
    out.level = static_cast<log_level>(in.log_level.value_or(log_level_name::info));
    if (in.trusted_proxies)
        out.trusted_proxies = std::move(in.trusted_proxies->networks);
    out.proxy_protocol = in.proxy_protocol.value_or(false);
    out.max_connections =
        static_cast<std::size_t>(in.max_connections ? in.max_connections->value : default_max_connections);
    out.max_connections_per_network = static_cast<std::size_t>(
        in.max_connections_per_network ? in.max_connections_per_network->value : default_max_per_network);
    out.body_memory = std::max(static_cast<std::size_t>(in.body_mib ? in.body_mib->value : 128) << 20,
                               out.threads * least_body_memory);
    out.migrate = in.migrate.value_or(true);
    if (in.data_dir)
        out.data_dir = std::move(in.data_dir->value);

    // Mail and sign-in.
    if (in.smtp_url)
        out.smtp = std::move(in.smtp_url->server);
    out.mail_from = in.mail_from ? std::move(in.mail_from->value) : mailbox{"Latchkey", "no-reply@localhost"};
    if (in.smtp_connections)
        out.smtp_connections = static_cast<unsigned>(in.smtp_connections->value);
    if (in.mail_per_recipient)
        out.mail_budgets.recipient = static_cast<std::int32_t>(in.mail_per_recipient->value);
    if (in.mail_per_sender)
        out.mail_budgets.sender = static_cast<std::int32_t>(in.mail_per_sender->value);
    if (in.mail_per_hour)
        out.mail_budgets.installation = static_cast<std::int32_t>(in.mail_per_hour->value);
    if (in.google_client_id)
        out.google = google_settings{
            in.google_issuer ? std::move(in.google_issuer->value) : std::string(crypto::google_issuer),
            std::move(in.google_client_id->value), std::move(in.google_client_secret->value)};

    // The database, password hashing and the credential cache.
    out.database_url = std::move(in.database_url->value);
    out.prepared_statements = in.prepared_statements.value_or(true);
    if (in.database_connections)
        out.database_connections = static_cast<std::size_t>(in.database_connections->value);
    // Half a second to two seconds of work, depending on the password costs. A client that would wait longer
    // is better served by a 503 with Retry-After.
    out.hash_queue = 64 * std::size_t{out.threads};
    if (in.argon2 == argon2_name::libargon2)
        out.argon2 = crypto::argon2_engine::libargon2;
    out.cache_bytes = static_cast<std::size_t>(in.cache_mib ? in.cache_mib->value : 256) << 20;

    for (auto [setting, period] : retention_settings)
        if (in.*setting)
            out.retention.*period = std::chrono::seconds((in.*setting)->value);

    // The settings of the handlers.
    auto& h = out.handlers;
    h.public_url =
        in.public_url ? std::move(in.public_url->value) : default_public_url(out.listen, out.tls.has_value());
    if (in.refresh_token_ttl)
        h.refresh_token_ttl = std::chrono::seconds(in.refresh_token_ttl->value);
    if (in.session_max_age)
        h.session_max_age = std::chrono::seconds(in.session_max_age->value);
    h.access_token_ttl = in.access_token_ttl ? std::chrono::seconds(in.access_token_ttl->value)
                                             : std::min(h.access_token_ttl, h.refresh_token_ttl);
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
    if (in.google_authoritative_domains)
        h.authoritative_domains = std::move(in.google_authoritative_domains->domains);
    if (in.redirect_allowlist)
        h.redirect_allowlist = std::move(in.redirect_allowlist->urls);
    if (in.extra_resources)
        h.extra_resources = std::move(in.extra_resources->names);
    h.jwt_algorithm = in.jwt_algorithm == jwt_algorithm_name::EdDSA ? crypto::jwt_algorithm::eddsa
                                                                    : crypto::jwt_algorithm::es256;
    if (in.brand_name)
        h.brand.name = std::move(in.brand_name->value);
    if (in.brand_accent)
        h.brand.accent = std::move(in.brand_accent->value);
    if (in.brand_logo) {
        h.brand.logo = std::move(in.brand_logo->content);
        h.brand.is_logo_svg = in.brand_logo->is_svg;
    }
    if (in.password_hash)
        h.password_costs = in.password_hash->costs;
    return out;
}

} // namespace

std::string variable_of(std::string_view name)
{
    std::string out(variable_prefix);
    for (char c : name)
        out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    return out;
}

db::pipeline::config database_settings(const config& settings)
{
    db::pipeline::config out;
    out.conninfo = settings.database_url;
    out.prepare = settings.prepared_statements;
    return out;
}

std::optional<handlers::oidc_provider::config> oidc_provider_settings(const config& settings)
{
    if (!settings.google)
        return std::nullopt;
    handlers::oidc_provider::config out;
    out.issuer = settings.google->issuer;
    out.client_id = settings.google->client_id;
    out.client_secret = settings.google->client_secret;
    out.redirect_uri = settings.handlers.public_url + std::string(handlers::oidc_base_path) + "/callback";
    return out;
}

setting_list read_environment(char** environment)
{
    setting_list out;
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
        else if (equals + 1 < line.size()) // an empty variable counts as unset
            out.emplace_back(std::move(name), std::string(line.substr(equals + 1)));
    }
    return out;
}

std::variant<setting_list, std::string> read_flags(std::span<char* const> arguments)
{
    setting_list out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view flag = arguments[i];
        auto equals = flag.find('=');
        std::string name(flag.substr(0, equals));
        if (name.size() < 3 || !name.starts_with("--"))
            return std::string(flag) + ": unexpected argument (see latchkey --help)";
        name.erase(0, 2);
        std::ranges::replace(name, '-', '_');
        if (is_secret(name)) {
            auto variable = variable_of(name);
            std::string message(flag.substr(0, equals));
            message.append(": every user of this machine can see flags: set ").append(variable);
            message.append(", or ").append(variable).append("_FILE to the name of a file that holds it");
            return message;
        }
        if (!is_known(name))
            return std::string(flag.substr(0, equals)) + ": unknown flag (see latchkey --help)";
        if (equals != std::string_view::npos)
            out.emplace_back(std::move(name), std::string(flag.substr(equals + 1)));
        else if (i + 1 < arguments.size())
            out.emplace_back(std::move(name), std::string(arguments[++i]));
        else
            return std::string(flag) + ": missing value";
    }
    return out;
}

std::variant<config, std::vector<std::string>> make_config(setting_list environment, setting_list flags)
{
    auto merged = merge(std::move(environment), std::move(flags));
    std::vector<std::string> errors;
    for (auto& [name, message] : read_secret_files(merged))
        errors.push_back(variable_of(name).append(": ").append(message));
    bool has_all_files = errors.empty();
    auto parsed = schemas::parse_pairs<raw_settings>(merged, "settings");
    for (auto& error : parsed.errors)
        errors.push_back(describe(error));
    if (parsed.value && has_all_files)
        check_combinations(*parsed.value, errors);
    if (!errors.empty())
        return errors;
    return to_config(std::move(*parsed.value));
}

} // namespace server
