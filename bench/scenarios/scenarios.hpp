// What a run sends: each scenario of the command line, made into traffic.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/scenarios/keys.hpp"
#include "bench/scenarios/request_source.hpp"

#include <string>
#include <vector>

namespace bench {

/** People and keys that the server knows. */
struct seeded {
    std::vector<std::string> emails;
    std::string password; ///< everybody's
    key_set keys;
    double seconds = 0; ///< what it took to make them
};

struct scenario {
    std::string title;
    std::vector<kind> kinds;
    traffic_factory make_traffic;
};

/** Which keys a key check presents. */
enum class key_choice {
    hot,    ///< few, so that the server remembers them all
    cold,   ///< each of them once, so that it remembers none
    mixed,  ///< all, by Zipf's law: some often, most rarely
    invalid ///< none that exists
};

struct key_options {
    key_choice choice = key_choice::hot;
    std::size_t hot_keys = 1000;
    double malformed_percent = 0; ///< of invalid: how many have a wrong checksum too
};

/** The same GET again and again. */
scenario get(const url& where, std::span<const header> headers = {});

/** POST /login, each time as the next of the people. */
scenario login(const url& server, const seeded& people);

/** What needs the mail server, POST /password/forgot, and what needs the provider of sign-ins, GET
    /oauth/google/authorize, in turn. */
scenario correspond(const url& server, const seeded& people);

/** Where the browser of such a sign-in ends: a URL that the server has to allow. */
inline constexpr std::string_view redirect_uri = "https://app.example/in";

/** GET /auth with an API key. The keys must outlive the scenario, for invalid ones too: `keys` are then the
    unknown ones. */
scenario verify_key(const url& server, const key_set& keys, const key_options& options);

/** GET /auth with the next of these access tokens. */
scenario verify_jwt(const url& server, const std::vector<std::string>& tokens);

/** POST /api-keys with the next of these access tokens. */
scenario mint(const url& server, const std::vector<std::string>& tokens);

/** A day's work: 90 % hot keys, 5 % cold, 3 % tokens, 1.5 % mints, 0.5 % logins. */
scenario mixed(const url& server, const seeded& data, const std::vector<std::string>& tokens,
               const key_options& options);

/** Log in so many people, one after the other. @return their access tokens; @throw failure if one is
    refused */
std::vector<std::string> log_in(const url& server, const seeded& people, std::size_t count);

} // namespace bench
