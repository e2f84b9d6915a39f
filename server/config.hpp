// What the operator has set: read from the environment and the command line, refused at start if wrong.
#pragma once

#include "crypto/hash_pool.hpp"
#include "crypto/keyring.hpp"
#include "db/postgres/pipeline.hpp"
#include "handlers/access/client_address.hpp"
#include "handlers/http/context.hpp"
#include "server/log.hpp"
#include "server/mail/mail_transport.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace server {

/** How long a connection may take over what. All are upper bounds within half a second. */
struct time_limits {
    std::chrono::seconds idle{75}; // between two requests
    std::chrono::seconds header{
        15}; // from a request's first byte, or from connecting, to the end of its header
    std::chrono::seconds body{30};  // from there to the end of its body
    std::chrono::seconds write{30}; // a reply
    std::chrono::seconds drain{10}; // all that is under way when the server is told to stop
};

/** The OpenID provider that people may sign in through. */
struct google_settings {
    std::string issuer, client_id, client_secret;
};

struct config {
    explicit config(const crypto::keyring& master) : keys(master) {}

    boost::asio::ip::tcp::endpoint listen;
    unsigned threads = 1;
    log_level level = log_level::info;
    time_limits limits;
    std::vector<handlers::address_range> trusted_proxies;
    bool migrate = true;
    std::string data_dir = ".latchkey";
    std::optional<smtp_settings> smtp; // nothing: letters are written into the data folder
    mailbox mail_from;
    std::optional<google_settings> google;

    std::string database_url;
    bool prepared_statements = true; // false: behind a pooler that hands transactions to changing servers
    std::size_t database_connections = 3; // of each core, beside the one for looking up credentials
    crypto::keyring keys;
    handlers::settings handlers;
    std::size_t hash_queue = 0; // waiting for a hasher, at most
    crypto::argon2_engine argon2 = crypto::argon2_engine::own;
    std::size_t cache_bytes = 0; // remembered principals of all cores together

    /** How people call this server: the host of its public URL. */
    std::string site_name() const;
};

/** How all connections of the program are made. */
db::pipeline::config database_settings(const config& settings);

/** Names and values: the environment's LATCHKEY_ variables or the flags, by the setting's own name. */
using settings_text = std::vector<std::pair<std::string, std::string>>;

/** The LATCHKEY_ variables as settings: `LATCHKEY_PUBLIC_URL` is `public_url`. */
settings_text read_environment(char** environment);

/** Flags as settings: `--public-url X` or `--public-url=X` is `public_url`.
    @return the settings, or what is wrong with the first bad flag */
std::variant<settings_text, std::string> read_flags(std::span<char* const> arguments);

/** Check all settings at once; a flag overrides a variable of the same name.
    @return the configuration, or one line for each setting that is wrong */
std::variant<config, std::vector<std::string>> make_config(settings_text environment, settings_text flags);

} // namespace server
