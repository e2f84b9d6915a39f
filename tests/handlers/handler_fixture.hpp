// A place for handlers to work at: everything that they may touch, but neither a server nor a database.
#pragma once

#include "crypto/encoding.hpp"
#include "crypto/jwt.hpp"
#include "handlers/http/context.hpp"
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

/** The request that is made of `message`, and the call that is made of the request. What needs the database
    fails as if it were away. */
struct desk {
    desk()
    {
        config.public_url = "https://id.example.com";
        message.method(http::verb::get);
        message.target("/");
    }

    static db::pipeline::config nowhere()
    {
        db::pipeline::config out;
        out.conninfo = "host=/nowhere";
        out.queue_timeout = std::chrono::milliseconds(1);
        return out;
    }

    /// A caller of workspace 1 unless told otherwise.
    call as(db::principal who)
    {
        if (!who.workspace_id)
            who.workspace_id = id_of(1);
        return {cx, req, {}, db::principal_ref(new db::principal(std::move(who)))};
    }

    call as_person(std::uint8_t number)
    {
        db::principal who;
        who.user_id = id_of(number);
        who.credential_id = id_of(100);
        who.role = db::role::admin;
        return as(std::move(who));
    }

    call as_anyone() { return {cx, req, {}, {}}; }

    boost::asio::io_context io{1};
    settings config;
    permission_table permissions{{"leads"}};
    rate_limiter limiter{64};
    crypto::hashers hashers{{1, 1, {64, 1, 1}}};
    crypto::sealer sealer{crypto::key{1}};
    db::principal_changes changes;
    db::pool db{io, nowhere(), 1};
    db::principals principals{io, db};
    db::usage usage{io, db};
    crypto::signing_key signer = crypto::signing_key::generate(crypto::jwt_algorithm::es256);
    context cx{config,
               permissions,
               limiter,
               hashers,
               sealer,
               changes,
               db,
               principals,
               usage,
               crypto::api_key_digester(crypto::key{2}),
               crypto::hmac_sha256(crypto::key{3}),
               crypto::token_signer(crypto::key{4}),
               crypto::token_signer(crypto::key{5}),
               std::make_shared<const crypto::jwt_keys>(signer, std::vector<crypto::signing_key>()),
               false};
    http::request<http::string_body> message;
    request req{message, "/", "", boost::asio::ip::make_address("203.0.113.7"), "r1"};
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
