// Types of the settings: each parses and validates one kind of text, as a schema rule.
#pragma once

#include "crypto/keyring.hpp"
#include "crypto/password.hpp"
#include "handlers/access/client_address.hpp"
#include "schemas/engine/types.hpp"
#include "server/mail_settings.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/describe/enum.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// `address:port`, or `[address]:port` of IPv6.
struct listen_setting {
    boost::asio::ip::tcp::endpoint endpoint;

    static std::optional<listen_setting> read(std::string_view in, const schemas::path& at,
                                              schemas::validation_errors& errors);
};

/// An http or https URL without user, query and fragment; trailing slashes are removed.
struct public_url_setting {
    std::string value;

    static std::optional<public_url_setting> read(std::string_view in, const schemas::path& at,
                                                  schemas::validation_errors& errors);
};

/// 32 bytes in base64.
struct master_key_setting {
    std::optional<crypto::keyring> keys;

    static std::optional<master_key_setting> read(std::string_view in, const schemas::path& at,
                                                  schemas::validation_errors& errors);
};

/// argon2id costs: `m=19456,t=2,p=1`.
struct password_costs_setting {
    crypto::password_costs costs;

    static std::optional<password_costs_setting> read(std::string_view in, const schemas::path& at,
                                                      schemas::validation_errors& errors);
};

/// A comma-separated list of web origins, as browsers write them.
struct cors_origins_setting {
    std::vector<std::string> origins;

    static std::optional<cors_origins_setting> read(std::string_view in, const schemas::path& at,
                                                    schemas::validation_errors& errors);
};

/// `*`, or a comma-separated list of email domains.
struct domains_setting {
    /// Normalized.
    std::vector<std::string> domains;

    static std::optional<domains_setting> read(std::string_view in, const schemas::path& at,
                                               schemas::validation_errors& errors);
};

/// A comma-separated list of addresses and networks in CIDR notation, without host bits; not all addresses.
struct networks_setting {
    std::vector<handlers::address_range> networks;

    static std::optional<networks_setting> read(std::string_view in, const schemas::path& at,
                                                schemas::validation_errors& errors);
};

/// A comma-separated list of resource names: lowercase ASCII and `_`.
struct resources_setting {
    std::vector<std::string> names;

    static std::optional<resources_setting> read(std::string_view in, const schemas::path& at,
                                                 schemas::validation_errors& errors);
};

/// An smtp or smtps URL, with or without user and password.
struct smtp_setting {
    smtp_settings server;

    static std::optional<smtp_setting> read(std::string_view in, const schemas::path& at,
                                            schemas::validation_errors& errors);
};

/// An email address, or `Name <address>`.
struct mailbox_setting {
    mailbox value;

    static std::optional<mailbox_setting> read(std::string_view in, const schemas::path& at,
                                               schemas::validation_errors& errors);
};

/// The issuer URL of an OpenID provider: https, or http on a loopback address.
struct issuer_setting {
    std::string value;

    static std::optional<issuer_setting> read(std::string_view in, const schemas::path& at,
                                              schemas::validation_errors& errors);
};

/// A comma-separated list of absolute URLs: https, http on a loopback host, or an app's own scheme.
struct redirects_setting {
    std::vector<std::string> urls;

    static std::optional<redirects_setting> read(std::string_view in, const schemas::path& at,
                                                 schemas::validation_errors& errors);
};

/// Values of the settings with a fixed choice.
enum class verification_mode { optional, required };
BOOST_DESCRIBE_ENUM(verification_mode, optional, required)

enum class argon2_name { own, libargon2 };
BOOST_DESCRIBE_ENUM(argon2_name, own, libargon2)

enum class jwt_algorithm_name { ES256, EdDSA };
BOOST_DESCRIBE_ENUM(jwt_algorithm_name, ES256, EdDSA)

enum class log_level_name { debug, info, warning, error };
BOOST_DESCRIBE_ENUM(log_level_name, debug, info, warning, error)

/// A colour: `#rrggbb`.
struct colour_setting {
    std::string value;

    static std::optional<colour_setting> read(std::string_view in, const schemas::path& at,
                                              schemas::validation_errors& errors);
};

/// The path of a picture, which is read: SVG or PNG, up to 256 KiB.
struct picture_setting {
    std::string content;
    bool is_svg = false;

    static std::optional<picture_setting> read(std::string_view in, const schemas::path& at,
                                               schemas::validation_errors& errors);
};

/// A duration in seconds, up to ten years.
using seconds_setting = schemas::integer<1, 315'360'000>;

} // namespace server
