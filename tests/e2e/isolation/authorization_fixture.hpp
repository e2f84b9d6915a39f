// Executes rows of the authorization matrix: creates the caller, the credential and the objects of a call by
// SQL.
#pragma once

#include "crypto/api_key.hpp"
#include "crypto/hash.hpp"
#include "crypto/keyring.hpp"
#include "crypto/token_signer.hpp"
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization_matrix.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace e2e::authorization_matrix {

/// Replace the placeholders in a text. @param value the replacement for the name between the braces
std::string fill_placeholders(std::string_view text,
                              const std::function<std::string(const std::string& name)>& value);

/// The whole path of a row, from the root of the site.
std::string path_of(const row& line);

/// Whether a row describes a route: same method, and same path up to the names of parameters.
bool describes(const row& line, const handlers::route& route);

/// "GET /api/v1/users/me", for messages.
std::string name_of(const row& line);

/// A server, and the secrets it takes to create valid credentials by SQL.
struct matrix_fixture {
    matrix_fixture();

    crypto::keyring keys() const { return crypto::keyring::from_base64(server.master_key()).value(); }

    std::string next_email() { return "user-" + std::to_string(++count) + "@example.com"; }

    support::database db;
    support::sql_connection sql{db.conninfo()};
    support::running_server server;
    support::http_client client;
    crypto::api_key_digester key_digester;
    crypto::token_signer unsubscription_signer;
    int count = 0;
};

/// Users who appear in several scenarios.
struct participants {
    std::string owner, owner_email, workspace;
    /// The caller.
    std::string user, email;
    /// The member that calls about a member are about.
    std::string target;
};

/** One call by one caller, with all objects it involves; no two scenarios share any, unless they are given
    participants. Most objects are in the workspace of an owner, who may also be the caller. */
class scenario {
public:
    /// @param is_foreign whether the objects marked `own` belong to the owner's workspace instead of the
    /// caller
    scenario(matrix_fixture& fixture, const row& line, caller who, credential with, bool is_foreign = false);

    /// The same with participants of another scenario, in their one workspace.
    scenario(matrix_fixture& fixture, const row& line, caller who, credential with,
             const participants& shared);

    participants everyone() const { return {owner_, owner_email_, workspace_, user_, email_, target_}; }

    support::response send() { return send(fixture_.client); }
    support::response send(support::http_client& client) const { return client.send(message_); }

    /// All stored rows of the workspaces and users involved, except for the times of last use.
    std::string stored_rows() const;

private:
    using message = support::http::request<support::http::string_body>;

    // Statements are collected and executed at once.
    void add(const std::string& statement) { statements_ += statement + ";\n"; }
    void execute();

    void prepare();
    void add_participants();
    std::string add_user(const std::string& email);
    std::string add_workspace(const std::string& owner);
    void add_membership(const std::string& workspace, const std::string& user, role as);
    std::string add_member();
    std::string add_join_request(const std::string& user);
    std::string add_session(const std::string& user);
    /// A browser session of the owner. @return its cookie
    std::string add_cookie();
    std::string add_grant();

    /// @param owner empty for a workspace key, created by the caller. @return the secret
    std::string add_key(const std::string& workspace, const std::string& owner, role as);
    std::string add_caller_key();

    /// @return the prefix
    std::string add_own_key();

    /// @return the token
    std::string add_one_time_token(const std::string& purpose);

    /// @return id and token
    std::pair<std::string, std::string> add_invite(const std::string& email);

    std::string make_unsubscription_token();

    /// Create the object that a placeholder stands for. @return its replacement
    std::string make(const std::string& placeholder);
    message make_message();

    matrix_fixture& fixture_;
    const row& line_;
    caller who_;
    credential with_;
    bool is_foreign_;
    std::string owner_, owner_email_, workspace_;
    /// The caller, and the workspace they call from.
    std::string user_, email_, home_;
    /// The member that the call is about; empty: a new one.
    std::string target_;
    /// Session token or API key.
    std::string secret_;
    std::string statements_;
    message message_;
};

} // namespace e2e::authorization_matrix
