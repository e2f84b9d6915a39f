// Scenarios: the requests that each command sends.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/scenarios/keys.hpp"
#include "bench/scenarios/request_source.hpp"

#include <string>
#include <vector>

namespace bench {

/// Users and keys that the server knows.
struct seeded {
    std::vector<std::string> emails;
    /// Shared by all users.
    std::string password;
    /// Key i is of user i % users.
    key_set keys;
    /// How long seeding took.
    double seconds = 0;
};

struct scenario {
    std::string title;
    std::vector<kind> kinds;
    request_source_factory make_source;
};

/// Which keys the key checks present.
enum class key_choice {
    /// Few, so that the server has them all cached.
    hot,
    /// Each one once, so that none is cached.
    cold,
    /// All, by Zipf's law: some often, most rarely.
    mixed,
    /// Unknown ones.
    invalid
};

struct key_options {
    key_choice choice = key_choice::hot;
    std::size_t hot_keys = 1000;
    /// Of the invalid keys: how many have a wrong checksum as well.
    double malformed_percent = 0;
};

/// One GET, repeated.
scenario get(const url& where, std::span<const header> headers = {});

/// POST /login, for each user in turn.
scenario login(const url& server, const seeded& users);

/** Requests that depend on other servers: POST /password/forgot (mail) and GET /oauth/google/authorize (the
    OpenID provider), at random, half of each. */
scenario mail_and_sign_in(const url& server, const seeded& users);

/// The redirect_uri of such a sign-in: the server has to allow it.
inline constexpr std::string_view redirect_uri = "https://app.example/in";

/** GET /auth with an API key. The keys must outlive the scenario. For key_choice::invalid, `keys` are unknown
    to the server. */
scenario verify_key(const url& server, const key_set& keys, const key_options& options);

/// GET /auth, with each access token in turn.
scenario verify_jwt(const url& server, const std::vector<std::string>& tokens);

/// POST /api-keys, with each access token in turn.
scenario mint(const url& server, const std::vector<std::string>& tokens);

/// DELETE /api-keys/{prefix} for each key in [first, end) once, by its owner: key i is of token i % tokens.
scenario revoke(const url& server, const key_set& keys, const std::vector<std::string>& tokens,
                std::size_t first, std::size_t end);

/// A realistic mix: 90 % hot keys, 5 % cold keys, 3 % access tokens, 1.5 % mints, 0.5 % logins.
scenario mixed(const url& server, const seeded& data, const std::vector<std::string>& tokens,
               const key_options& options);

/// Log in `count` users, one at a time. @return their access tokens; @throw failure if a login fails
std::vector<std::string> log_in(const url& server, const seeded& users, std::size_t count);

} // namespace bench
