// New accounts: the user with a workspace of their own, or with a request to join an existing one.
#pragma once

#include "db/postgres/batch.hpp"
#include "handlers/http/context.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handlers {

/// An account about to be inserted. Its ids are made at construction.
struct new_account {
    new_account();

    db::uuid user_id, workspace_id;
    std::string email, email_normalized;
    /// Nothing: signs in through a provider.
    std::optional<std::string> password_hash;
    std::optional<std::string> name;
    /// Nothing: the workspace is named after the user.
    std::optional<std::string> workspace_name;
    /// The workspace of the address's domain, to be joined instead of a workspace of their own.
    std::optional<db::uuid> workspace_to_join;
    bool email_verified = false;
    /// See db::users::row.
    bool verified_by_link_only = false;
    /// See db::users::row.
    std::string signup_agent;
};

/** Inserts user, workspace and membership: three results, in this order; or user and join request. The batch
    fails on users_email_key if the address has an account. */
void add_account(db::batch& work, const new_account& account);

/// The workspace that people with an address of this domain ask to join; nothing for free email domains.
awaitable<std::optional<db::uuid>> find_workspace_to_join(context& cx, std::string_view email_normalized);

/// The workspace that the new user owns, unless they ask to join one.
std::optional<db::uuid> owned_workspace(const new_account& account);

} // namespace handlers
