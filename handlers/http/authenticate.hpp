// Authentication: from the Authorization header to a principal.
#pragma once

#include "db/principals/principals.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"

#include <optional>
#include <string_view>

namespace handlers {

/// A bearer token as sent, before it is looked up.
struct credential {
    enum class kind_type { none, api_key, access_token };

    kind_type kind = kind_type::none;
    std::string_view text;
    /// The key of the credential cache.
    db::digest digest{};
};

/// The token of the Authorization header, of any form, or what a page has put in its place (`call::bearer`,
/// which is not null then, and empty for no credential); empty without either.
result<std::string_view> read_bearer_token(const call& c);

/// The credential of the call; of kind none without an Authorization header.
result<credential> read_credential(const call& c);

/** Looks a token up in the credential cache.
    @param presented set unless a hit was found by the hash of the token alone
    @return the problem of a malformed one */
result<db::principals::cache_result> find_cached(const call& c, std::string_view token,
                                                 credential& presented);

/// Whether an access token is rejected after its expiry.
enum class token_expiry { enforced, ignored };

/** Looks up a credential that is not cached. For an access token, checks its signature and claims first.
    @return null if it is unknown or revoked
    @throw db::failure */
awaitable<result<db::principal_ref>> load_principal(const call& c, credential presented, token_expiry expiry);

/// Why a known credential is not accepted now: expired, its account disabled, its membership ended.
std::optional<problem> credential_state_error(const db::principal& principal, db::timestamp now);

} // namespace handlers
