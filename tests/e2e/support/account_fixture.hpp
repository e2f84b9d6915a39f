// The basic fixture: a database, a server, and Ada, who has signed up and owns a workspace.
#pragma once

#include "tests/support/database.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace e2e {

inline const std::string base = "/api/v1/users";

struct account_fixture {
    explicit account_fixture(const support::environment& settings = {})
        : server(db.conninfo(), settings), client(server.port())
    {
        auto body = support::object({{"email", "ada@example.com"}, {"password", "long enough"}});
        auto made = client.post(base + "/signup", body);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        token = made.text("/access_token");
        refresh_token = made.text("/refresh_token");
        user = made.text("/user/id");
        workspace = made.text("/workspace/id");
    }

    /// Mint an API key. @param body of POST /api-keys @return the secret
    std::string mint(std::string body)
    {
        auto made = client.post(base + "/api-keys", std::move(body), token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    support::database db;
    support::running_server server;
    support::http_client client;
    std::string token, refresh_token, user, workspace;
};

/// The prefix of an API key, which identifies it in paths.
inline std::string prefix_of(const std::string& key)
{
    return key.substr(4, 8);
}

} // namespace e2e
