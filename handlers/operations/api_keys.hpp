// Operations of API keys.
#pragma once

#include "handlers/endpoints/api_keys.hpp"
#include "handlers/openapi/operation.hpp"

namespace handlers::operations {

inline constexpr operation api_keys[] = {
    describes<&api_keys::mint>(
        tags::api_keys, "mintApiKey", "Create an API key",
        "`secret` is shown only here. A key created with a key gets at most that key's scopes.")
        .fails_with(codes::forbidden, codes::forbidden_scope),
    describes<&api_keys::list>(tags::api_keys, "listApiKeys", "List the caller's API keys")
        .fails_with(codes::forbidden),
    describes<&api_keys::report>(tags::api_keys, "reportApiKey", "Report a leaked API key",
                                 "Revokes the key: holding it is enough. Invalid keys get the same answer."),
    describes<&api_keys::claim>(
        tags::api_keys, "claimApiKey", "Get the secret of a key by its one-time link",
        "For keys that an agent created with `delivery: claim_url`. The secret is generated and shown by "
        "this call alone: the agent never has it.")
        .fails_with(codes::invalid_token),
    describes<&api_keys::show>(tags::api_keys, "showApiKey", "Show an API key").fails_with(codes::forbidden),
    describes<&api_keys::update>(tags::api_keys, "updateApiKey", "Change a key's name, scopes or expiry")
        .fails_with(codes::forbidden, codes::forbidden_scope, codes::conflict),
    describes<&api_keys::revoke>(tags::api_keys, "revokeApiKey", "Revoke an API key",
                                 "Once this has answered, no node accepts the key. Idempotent.")
        .fails_with(codes::forbidden),
    describes<&api_keys::rotate>(
        tags::api_keys, "rotateApiKey", "Replace an API key by a successor",
        "The successor has the same rights. The old key stays valid for `grace_seconds`.")
        .fails_with(codes::forbidden, codes::forbidden_scope, codes::conflict),

    // The same calls at the paths of an earlier version of the contract.
    describes<&api_keys::mint>(tags::api_keys, "adminMintApiKey", "Create an API key",
                               "An alias of `mintApiKey`.")
        .fails_with(codes::forbidden, codes::forbidden_scope),
    describes<&api_keys::list>(tags::api_keys, "adminListApiKeys", "List the caller's API keys",
                               "An alias of `listApiKeys`.")
        .fails_with(codes::forbidden),
    describes<&api_keys::revoke>(tags::api_keys, "adminRevokeApiKey", "Revoke an API key",
                                 "An alias of `revokeApiKey`.")
        .fails_with(codes::forbidden),
};

} // namespace handlers::operations
