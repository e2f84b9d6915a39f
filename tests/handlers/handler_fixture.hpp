// Fixture for handlers: their whole context, without a server and without a database.
#pragma once

#include "crypto/encoding.hpp"
#include "crypto/hash_pool.hpp"
#include "crypto/jwt.hpp"
#include "crypto/keyring.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
#include "db/principals/last_used.hpp"
#include "db/principals/principals.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/refusals.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/context.hpp"
#include "tests/handlers/request_message.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace handlers::test {

inline db::uuid id_of(std::uint8_t number)
{
    db::uuid out{};
    out.data[15] = number;
    return out;
}

/** Makes a request of `message`, and calls of the request. The database is unavailable. */
struct handler_fixture {
    handler_fixture() { config.public_url = "https://id.example.com"; }

    static db::pipeline::config nowhere()
    {
        db::pipeline::config out;
        out.conninfo = "host=/nowhere";
        out.queue_timeout = std::chrono::milliseconds(1);
        return out;
    }

    /// A caller of workspace 1, unless the principal names another.
    call as(db::principal caller)
    {
        if (!caller.workspace_id)
            caller.workspace_id = id_of(1);
        return {cx, req, {}, db::principal_ref(new db::principal(std::move(caller)))};
    }

    call as_user(std::uint8_t number)
    {
        db::principal who;
        who.user_id = id_of(number);
        who.credential_id = id_of(100);
        who.role = db::role::admin;
        return as(std::move(who));
    }

    call as_anonymous() { return {cx, req, {}, {}}; }

    boost::asio::io_context io{1};
    settings config;
    permission_table permissions{{"leads"}};
    rate_limiter limiter{42, 64};
    crypto::hash_pool hash_pool{{1, 1, {64, 1, 1}}};
    crypto::sealer sealer{crypto::keyring(crypto::key{1})};
    db::invalidation_bus changes;
    db::pool db{io, nowhere(), 1};
    db::principals principals{io, db};
    db::last_used_writer last_used{io, db};
    db::audit::refusal_writer refusals{io, db};
    crypto::signing_key signer = crypto::signing_key::generate(crypto::jwt_algorithm::es256);
    context cx{config,
               permissions,
               limiter,
               hash_pool,
               sealer,
               changes,
               db,
               principals,
               last_used,
               refusals,
               crypto::api_key_digester(crypto::key{2}),
               crypto::siphash(crypto::random_bytes<crypto::siphash::key_size>()),
               crypto::hmac_sha256(crypto::key{3}),
               crypto::token_signer(crypto::key{4}),
               crypto::token_signer(crypto::key{5}),
               std::make_shared<const crypto::jwt_keys>(signer, std::vector<crypto::signing_key>()),
               false};
    request_message message;
    request req{message.head(), message.body(), "/", "", boost::asio::ip::make_address("203.0.113.7"), "r1"};
};

/// One header line of a reply; empty if there is none.
inline std::string header_of(const reply& from, std::string_view name)
{
    auto begin = std::string(name) + ": ";
    auto at = from.headers.starts_with(begin) ? 0 : from.headers.find("\r\n" + begin);
    if (at == std::string::npos)
        return {};
    at = from.headers.find(begin, at) + begin.size();
    return from.headers.substr(at, from.headers.find("\r\n", at) - at);
}

} // namespace handlers::test
