// Configuration: read from LATCHKEY_ variables and flags, validated as a whole at start.
#pragma once

#include "crypto/hash_pool.hpp"
#include "crypto/keyring.hpp"
#include "db/postgres/pipeline.hpp"
#include "db/tables/mail_budgets.hpp"
#include "db/tables/retention.hpp"
#include "handlers/access/client_address.hpp"
#include "handlers/http/context.hpp"
#include "handlers/oidc/provider.hpp"
#include "server/log.hpp"
#include "server/mail_settings.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace server {

/// Time limits of a connection's phases. Enforced by a periodic sweep, half a second late at most.
struct time_limits {
    /// Between two requests.
    std::chrono::seconds idle{75};
    /// From the first byte of a request, or from the connect, to the end of its header.
    std::chrono::seconds header{15};
    /// From the end of the header to the end of the body.
    std::chrono::seconds body{30};
    /// After this time, a body must have arrived at the least rate, in bytes a second.
    std::chrono::seconds body_grace{5};
    std::size_t least_body_rate = 1024;
    /// For writing a response.
    std::chrono::seconds write{30};
    /// How long a draining server still accepts connections, while it reports itself as not ready.
    std::chrono::seconds drain_delay{0};
    /// After that, for all requests in flight.
    std::chrono::seconds drain{10};
};

/// The OpenID provider for sign-in.
struct google_settings {
    std::string issuer, client_id, client_secret;
};

/// Files of the server's certificate, in PEM.
struct tls_settings {
    std::string cert, key;
    /// Of the authorities that clients need a certificate of; empty: they need none.
    std::string client_ca;
};

/// The configuration of one process.
struct config {
    explicit config(const crypto::keyring& master) : keys(master) {}

    boost::asio::ip::tcp::endpoint listen;
    /// Of `listen`; absent: it serves HTTP.
    std::optional<tls_settings> tls;
    /// Where `/metrics` and `/readyz` are served, over HTTP; absent: with everything else.
    std::optional<boost::asio::ip::tcp::endpoint> admin_listen;
    /// Number of cores, each with a thread of its own.
    unsigned threads = 1;
    log_level level = log_level::info;
    time_limits limits;
    std::vector<handlers::address_range> trusted_proxies;
    /// Connections of trusted proxies begin with a header of the PROXY protocol, version 2.
    bool proxy_protocol = false;
    /// Client connections of all cores; 0: as many as there are file descriptors.
    std::size_t max_connections = 0;
    /// Of one network: the /24 of an IPv4 address, the /56 of an IPv6 address; 0: as many as there are.
    std::size_t max_connections_per_network = 0;
    /// Memory for the request bodies that all cores are reading or handling, in bytes.
    std::size_t body_memory = 0;
    /// Run the migrations before serving.
    bool migrate = true;
    std::string data_dir = ".latchkey";
    /// Absent: mail is written to files in the data folder.
    std::optional<smtp_settings> smtp;
    mailbox mail_from;
    /// Emails that are sent at the same time, at least two.
    unsigned smtp_connections = 16;
    db::mail_budgets::limits mail_budgets;
    db::retention_periods retention;
    std::optional<google_settings> google;

    std::string database_url;
    /// False behind a pooler in transaction mode; this also disables the credential cache.
    bool prepared_statements = true;
    /// Connections of each core, in addition to the one for credential lookups.
    std::size_t database_connections = 3;
    crypto::keyring keys;
    handlers::settings handlers;
    /// Password hashes that may wait for a worker.
    std::size_t hash_queue = 0;
    crypto::argon2_engine argon2 = crypto::argon2_engine::built_in;
    /// Size of the credential caches of all cores together.
    std::size_t cache_bytes = 0;
};

/// Settings of every database connection of the process.
db::pipeline::config database_settings(const config& settings);

/// Settings of the OpenID provider; absent if none is configured.
std::optional<handlers::oidc_provider::config> oidc_provider_settings(const config& settings);

/// Settings as given: pairs of name and value, such as `public_url` and `https://id.example.com`.
using setting_list = std::vector<std::pair<std::string, std::string>>;

/// The variable of a setting: `LATCHKEY_PUBLIC_URL` of `public_url`.
std::string variable_of(std::string_view name);

/// Settings from LATCHKEY_ variables: `LATCHKEY_PUBLIC_URL` is `public_url`. Unknown ones are logged.
setting_list read_environment(char** environment);

/** Settings from flags: `--public-url X` or `--public-url=X` is `public_url`.
    @return the settings, or an error message for the first invalid flag: an unknown one, or a secret */
std::variant<setting_list, std::string> read_flags(std::span<char* const> arguments);

/** Validate all settings at once. A flag overrides the variable of the same name, and secrets are read from
    their files.
    @return the configuration, or one error message for each invalid setting */
std::variant<config, std::vector<std::string>> make_config(setting_list environment, setting_list flags);

} // namespace server
