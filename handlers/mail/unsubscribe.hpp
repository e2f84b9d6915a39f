// One-click unsubscription (RFC 8058): signed links that turn off one kind of email for one user.
#pragma once

#include "crypto/token_signer.hpp"
#include "db/postgres/async.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handlers {

/// The user and the kind of email that an unsubscribe link names.
struct unsubscription {
    db::uuid user_id;
    std::string kind;
};

/// Whether a kind of email can be turned off. Security notices cannot.
bool can_unsubscribe(std::string_view kind);

/// The links of one email: both carry the same token.
struct unsubscribe_links {
    /// For List-Unsubscribe: mail programs POST to it, and RFC 8058 leaves no other place for the token than
    /// the query.
    std::string one_click;
    /// For people: opens the page, and keeps the token in the fragment.
    std::string page;
};

/// The links for an email of this kind. @param signer with the key of context::unsubscriptions
unsubscribe_links make_unsubscribe_links(crypto::token_signer& signer, std::string_view public_url,
                                         const db::uuid& user, std::string_view kind);

/// Verifies the token of such a link. @return nothing if its signature or its content is wrong
std::optional<unsubscription> verify_unsubscription(crypto::token_signer& signer, std::string_view token);

} // namespace handlers
