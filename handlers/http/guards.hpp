// The three dependencies that guard every handler, and the counting of requests that goes with them.
#pragma once

#include "db/tables/users.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/endpoint.hpp"
#include "handlers/http/problem.hpp"

#include <optional>
#include <variant>

namespace handlers {

/** Let the call through `who`, or say why not. On success `c.who` is the caller, unless the route is for
    anyone.

    The credential is the one `Authorization: Bearer` header; JWTs and API keys both count. What a caller may
    do is evaluated from the current state at every request. A remembered caller costs neither a lock nor a
    system call; an unknown one costs one look-up that many requests share.
    Counts the request: for the credential, or, where there is none or a made-up one, for the client's
    address.
    @throw db::failure if the caller has to be looked up and the database does not answer */
awaitable<std::optional<problem>> admit(call& c, const guard& who);

/** The same from memory alone. @return nothing if the caller is not remembered: then ask `admit`, which takes
    it from the start; a request is counted once either way */
std::optional<std::optional<problem>> admit_remembered(call& c, const guard& who);

/** Whom a token would make the caller, were it the credential of a call; null if it would be refused.
    Counts nothing, and is no use of the token.
    @throw db::failure as `admit` */
awaitable<db::principal_ref> find_bearer(call& c, std::string_view token);

/** Whether it is a person who may not do anything before their address is verified. */
bool is_unverified(const call& c, const db::principal& who);

/** Whether the caller, who has been let in, may do what `who` guards. @return why not */
std::optional<problem> permit(const call& c, const guard& who);

/** Whether the caller has `permission`, which a handler finds out late, as for somebody else's key. */
bool may(const call& c, std::string_view permission);

/** Refuses a caller that is not a person: calls about oneself make no sense for a workspace's key. */
std::optional<problem> require_person(const call& c);

/** The caller as a person, with all that is stored of them. @return 403 for a workspace's key, 404 for who
   has just gone */
awaitable<std::variant<db::users::row, problem>> load_person(call& c);

/** Count a call of nobody in particular for its address. @return 429 if that is too many */
std::optional<problem> count_address(call& c);

/** Count a request against one of the stricter rules. @return the 429 if it is over */
std::optional<problem> count(call& c, const rate_rule& rule, std::span<const std::uint8_t> subject);

/** 429 as the contract shapes it. */
problem rate_limited(const rate_refusal& refusal);

/** What stands for the client's address in rate limits: IPv4 whole, IPv6 by its /64. */
std::array<std::uint8_t, 16> address_bucket(const boost::asio::ip::address& client);

} // namespace handlers
