// Sign-up, login, token refresh, and the current principal.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"
#include "schemas/user.hpp"
#include "schemas/workspace.hpp"

namespace schemas {

struct signup {
    email_address email;
    new_password password;
    std::optional<name_text<1, 100>> name;
    std::optional<name_text<1, 100>> workspace_name;
};
BOOST_DESCRIBE_STRUCT(signup, (), (email, password, name, workspace_name))

struct login {
    email_address email;
    existing_password password;
};
BOOST_DESCRIBE_STRUCT(login, (), (email, password))

/// `workspace_id`: the workspace of the new token, if other than the session's.
struct refresh {
    opaque_token refresh_token;
    std::optional<boost::uuids::uuid> workspace_id;
};
BOOST_DESCRIBE_STRUCT(refresh, (), (refresh_token, workspace_id))

/** `expires_in` is in seconds (RFC 6749, section 5.1). Workspace and membership are null for a user who waits
    for approval to join the workspace of their email domain. */
struct signup_result {
    schemas::user user;
    std::optional<schemas::workspace> workspace;
    std::optional<schemas::membership> membership;
    std::string access_token;
    schemas::token_type token_type = schemas::token_type::bearer;
    std::int64_t expires_in = 0;
    std::string refresh_token;
};
BOOST_DESCRIBE_STRUCT(signup_result, (),
                      (user, workspace, membership, access_token, token_type, expires_in, refresh_token))

/// The workspace is null for a user without any membership.
struct login_result {
    std::string access_token;
    schemas::token_type token_type = schemas::token_type::bearer;
    std::int64_t expires_in = 0;
    std::string refresh_token;
    schemas::user user;
    std::optional<schemas::workspace> workspace;
};
BOOST_DESCRIBE_STRUCT(login_result, (),
                      (access_token, token_type, expires_in, refresh_token, user, workspace))

/// `workspace_id`: the workspace of the token, if other than the session's.
struct browser_token_request {
    std::optional<boost::uuids::uuid> workspace_id;
};
BOOST_DESCRIBE_STRUCT(browser_token_request, (), (workspace_id))

/** As login_result, for a browser, which has no refresh token. Role and permissions are as `me` has them: a
   page is drawn without another call. */
struct browser_token {
    std::string access_token;
    schemas::token_type token_type = schemas::token_type::bearer;
    std::int64_t expires_in = 0;
    schemas::user user;
    std::optional<schemas::workspace> workspace;
    std::optional<schemas::role> role;
    std::vector<std::string> permissions;
};
BOOST_DESCRIBE_STRUCT(browser_token, (),
                      (access_token, token_type, expires_in, user, workspace, role, permissions))

/// The credential of the request; a session has no prefix.
struct credential {
    credential_type type = credential_type::session;
    boost::uuids::uuid id{};
    omittable<std::string> prefix;
    std::vector<std::string> scopes;
};
BOOST_DESCRIBE_STRUCT(credential, (), (type, id, prefix, scopes))

/// The user is null for a workspace-owned key; workspace and role are null without a workspace.
struct me {
    std::optional<schemas::user> user;
    std::optional<schemas::workspace> workspace;
    std::optional<schemas::role> role;
    std::vector<std::string> permissions;
    schemas::credential credential;
};
BOOST_DESCRIBE_STRUCT(me, (), (user, workspace, role, permissions, credential))

/** The query of forward authentication. A typo in a proxy configuration must not grant access, so unknown
    parameters are rejected. */
struct auth_query {
    static constexpr bool deny_unknown_fields = true;

    std::optional<scope> permission;
    std::optional<integer<403, 403>> deny_status;
};
BOOST_DESCRIBE_STRUCT(auth_query, (), (permission, deny_status))

} // namespace schemas
