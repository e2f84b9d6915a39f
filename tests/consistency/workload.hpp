// Workload: members of a workspace with credentials, and random revocations of their rights.
#pragma once

#include "tests/consistency/nodes.hpp"
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consistency {

/// A GET request.
inline std::string get(const std::string& path, const std::string& credential)
{
    return "GET " + e2e::base + path + " HTTP/1.1\r\nHost: latchkey\r\nAuthorization: Bearer " + credential +
           "\r\n\r\n";
}

/// A request that checks a grant.
struct check_request {
    std::size_t grant = 0;

    /// The whole HTTP request.
    std::shared_ptr<const std::string> message;

    /// The text in the body of a response that passes the check; empty: status 200 does.
    std::string_view passed;
};

/// A manager of the workspace, with a session and a key.
struct member {
    std::string id, email, session, key;

    /// A session in the user's own workspace, where another user has a key.
    std::string owner_session;

    /// Grants. The last one is the other user's.
    std::size_t session_grant = 0, key_grant = 0, invite_grant = 0, mint_grant = 0;
};

/// Revoked grants are still checked, so that late successes are found.
class workload {
public:
    workload(nodes& all, recorder& history)
        : all_(all), history_(history), clients_(all, std::chrono::seconds(4)),
          impatient_(all, std::chrono::milliseconds(150))
    {
        auto made = sign_up("ada@example.com");
        admin_ = made.text("/access_token");
        workspace_ = made.text("/workspace/id");
        made = sign_up("bob@example.com");
        other_ = made.text("/access_token");
        other_id_ = made.text("/user/id");
    }

    /// Sign a new member up. May fail during a fault. @return whether it succeeded
    bool add_member()
    {
        member user;
        user.email = "p" + std::to_string(++count_) + "@example.com";
        auto made = sign_up(user.email);
        user.id = made.text("/user/id");
        user.owner_session = made.text("/access_token");
        auto own_workspace = made.text("/workspace/id");
        if (user.id.empty() || !join(user, own_workspace))
            return false;
        auto login = call([&](support::http_client& client) {
            return client.post(e2e::base + "/login", credentials(user.email));
        });
        user.session = login.text("/access_token");
        user.key = mint(user.session, R"({"name":"k"})");
        auto others_key = mint_elsewhere(own_workspace);
        if (user.session.empty() || user.key.empty() || others_key.empty())
            return false;
        user.session_grant = add_grant(user.email + " session", get("/auth", user.session));
        user.key_grant = add_grant(user.email + " key", get("/auth", user.key));
        user.invite_grant = add_grant(user.email + " invites", get("/auth?permission=team:invite", user.key));
        user.mint_grant = add_grant(user.email + " lets members mint", mint_too_much(others_key), too_wide);
        std::scoped_lock lock(mutex_);
        members_.push_back(std::move(user));
        return true;
    }

    std::size_t members() const { return members_.size(); }

    /// A request for a right that is being or was recently revoked, or else for a random one,
    /// biased to newer ones.
    check_request pick(std::mt19937_64& random) const
    {
        std::scoped_lock lock(mutex_);
        if (!recent_.empty() && std::bernoulli_distribution(0.5)(random))
            return recent_[std::uniform_int_distribution<std::size_t>(0, recent_.size() - 1)(random)];
        auto most = requests_.size() - 1;
        std::geometric_distribution<std::size_t> back(0.02);
        return requests_[most - std::min(back(random), most)];
    }

    std::vector<check_request> requests() const
    {
        std::scoped_lock lock(mutex_);
        return requests_;
    }

    /** Revoke rights of a random member in a random way, and retry until done. Often it is the newest member,
        which no node has looked up yet: then the first lookups race with the revocation. */
    void revoke_something(std::mt19937_64& random)
    {
        auto user = choose(random);
        auto key_path = e2e::base + "/api-keys/" + user.key.substr(4, 8);
        auto member_path = e2e::base + "/team/" + user.id;
        std::vector<std::size_t> key_grants{user.key_grant, user.invite_grant},
            all_grants{user.session_grant, user.key_grant, user.invite_grant},
            watched{user.session_grant, user.key_grant, user.invite_grant, user.mint_grant};
        mark_recent(watched);
        switch (std::uniform_int_distribution<int>(0, 11)(random)) {
        case 0:
            return retry_until_done(key_grants,
                                    [&](auto& client) { return client.del(key_path, user.session); });
        case 1:
            return retry_until_done(key_grants, [&](auto& client) {
                return client.post(key_path + "/rotate", R"({"grace_seconds":0})", user.session);
            });
        case 2:
            return retry_until_done({user.session_grant}, [&](auto& client) {
                return client.post(e2e::base + "/logout", "", user.session);
            });
        case 3:
            return retry_until_done({user.invite_grant}, [&](auto& client) {
                return client.patch(member_path, R"({"role":"member"})", admin_);
            });
        case 4:
            return retry_until_done(all_grants,
                                    [&](auto& client) { return client.del(member_path, admin_); });
        case 5:
            return revoke_impatiently(key_grants, [&](auto& client) {
                return client.post(e2e::base + "/api-keys/report", support::object({{"key", user.key}}));
            });
        case 6:
            return revoke_impatiently(key_grants,
                                      [&](auto& client) { return revoke_token(client, user.key); });
        case 7:
            return revoke_impatiently({user.session_grant},
                                      [&](auto& client) { return revoke_token(client, user.session); });
        case 8:
        case 9: // a setting of the workspace, which all principals of the workspace contain
            return retry_until_done({user.mint_grant}, [&](auto& client) {
                return client.patch(e2e::base + "/workspace", R"({"members_can_mint_keys":false})",
                                    user.owner_session);
            });
        case 10: // narrower scopes: the key stays, one of its rights ends
            return retry_until_done({user.invite_grant}, [&](auto& client) {
                return client.patch(key_path, R"({"scopes":["team:read"]})", user.session);
            });
        default:
            return disable(user, all_grants);
        }
    }

    std::size_t revocations() const { return revocations_; }

private:
    member choose(std::mt19937_64& random)
    {
        std::scoped_lock lock(mutex_);
        auto newest = members_.size() - 1;
        auto any = std::uniform_int_distribution<std::size_t>(0, newest)(random);
        auto which = std::bernoulli_distribution(0.5)(random) ? newest : any;
        auto chosen = std::move(members_[which]);
        members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(which));
        return chosen;
    }

    void mark_recent(const std::vector<std::size_t>& grants)
    {
        std::scoped_lock lock(mutex_);
        if (recent_.size() >= 4 * grants.size())
            recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(grants.size()));
        for (auto each : grants)
            recent_.push_back(requests_[each]);
    }

    /// The user becomes a manager of the workspace, and the other user a member of the user's own.
    /// @return false while PostgreSQL is down
    bool join(const member& user, const std::string& own_workspace)
    {
        try {
            all_.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace_ + "', '" +
                     user.id + "', 'manager'), ('" + own_workspace + "', '" + other_id_ +
                     "', 'member'); UPDATE users SET last_workspace_id = '" + workspace_ + "' WHERE id = '" +
                     user.id + "'");
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }

    support::response sign_up(const std::string& email)
    {
        return call([&](support::http_client& client) {
            return client.post(e2e::base + "/signup", credentials(email));
        });
    }

    /// @return the secret of a new key; empty if it failed
    std::string mint(const std::string& session, const std::string& body)
    {
        return call([&](support::http_client& client) {
                   return client.post(e2e::base + "/api-keys", body, session);
               })
            .text("/secret");
    }

    /// A key of the other user, who is a member of this workspace.
    std::string mint_elsewhere(const std::string& workspace)
    {
        auto entered = call([&](support::http_client& client) {
            return client.post(e2e::base + "/workspaces/" + workspace + "/switch", "", other_);
        });
        return mint(entered.text("/access_token"), R"({"name":"k","scopes":["api_keys:write"]})");
    }

    /** A request that mints nothing in any case: without the right to mint it is refused for that reason,
        with it because the new key would have a scope that its creator lacks, which the response then names.
     */
    static std::string mint_too_much(const std::string& credential)
    {
        const std::string body = R"({"name":"k","scopes":["content:read"]})";
        return "POST " + e2e::base + "/api-keys HTTP/1.1\r\nHost: latchkey\r\nAuthorization: Bearer " +
               credential +
               "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    static constexpr std::string_view too_wide = "content:read";

    static std::string credentials(const std::string& email)
    {
        return support::object({{"email", email}, {"password", "long enough"}});
    }

    /// Call a node, the next one if it fails. @return an empty response if none answers
    support::response call(const std::function<support::response(support::http_client&)>& request)
    {
        for (int i = 0; i < 40; ++i) {
            try {
                auto answer = request(clients_.at(next_++ % all_.size()));
                if (answer.status < 500)
                    return answer;
            } catch (const boost::system::system_error&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        }
        return {};
    }

    std::size_t add_grant(const std::string& name, const std::string& message, std::string_view passed = {})
    {
        std::scoped_lock lock(mutex_);
        auto id = history_.add({name, clock::now(), {}, {}});
        requests_.push_back({id, std::make_shared<const std::string>(message), passed});
        return id;
    }

    /** Retry until a call returns with success. If an earlier call took effect although its response was
        lost, a retry is refused (not found, expired or conflict): the revocation is done, but none has
        returned with success. */
    void retry_until_done(const std::vector<std::size_t>& grants,
                          const std::function<support::response(support::http_client&)>& request)
    {
        for (auto each : grants)
            history_.begin_revocation(each, clock::now());
        for (bool first = true;; first = false) {
            auto answer = call(request);
            bool done = answer.status >= 200 && answer.status < 300;
            if (done || (!first && answer.status >= 400 && answer.status < 500 && answer.status != 429)) {
                if (done)
                    record_revoked(grants);
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    /** A call that may be repeated by a client that does not wait for the response, at another node: the
        repetition changes nothing, and yet its success means that the right has ended everywhere. */
    void revoke_impatiently(const std::vector<std::size_t>& grants,
                            const std::function<support::response(support::http_client&)>& request)
    {
        for (auto each : grants)
            history_.begin_revocation(each, clock::now());
        for (std::size_t i = 0; i < 2 * all_.size(); ++i) {
            try {
                auto answer = request(impatient_.at(next_++ % all_.size()));
                if (answer.status >= 200 && answer.status < 300)
                    return record_revoked(grants);
            } catch (const boost::system::system_error&) {
                // The response is late: the same call again, at the next node.
            }
        }
        retry_until_done(grants, request);
    }

    /// RFC 7009.
    static support::response revoke_token(support::http_client& client, const std::string& token)
    {
        support::http::request<support::http::string_body> message(support::http::verb::post,
                                                                   e2e::base + "/revoke", 11);
        message.set(support::http::field::content_type, "application/x-www-form-urlencoded");
        message.body() = "token=" + token;
        return client.send(std::move(message));
    }

    void disable(const member& user, const std::vector<std::size_t>& grants)
    {
        for (auto each : grants)
            history_.begin_revocation(each, clock::now());
        support::environment settings{{"LATCHKEY_DATABASE_URL", all_.conninfo()},
                                      {"LATCHKEY_MASTER_KEY", all_.master_key()}};
        for (int i = 0; i < 20; ++i) {
            support::child_process program({support::program_path(), "users", "disable", user.email},
                                           settings, STDOUT_FILENO);
            if (program.wait(std::chrono::seconds(30)) == 0)
                return record_revoked(grants);
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    void record_revoked(const std::vector<std::size_t>& grants)
    {
        auto now = clock::now();
        for (auto each : grants)
            history_.end_revocation(each, now);
        ++revocations_;
    }

    nodes& all_;
    recorder& history_;
    clients clients_, impatient_;
    std::string admin_, workspace_;

    /// The other user: a session, and the id.
    std::string other_, other_id_;
    std::size_t next_ = 0;
    int count_ = 0;
    std::size_t revocations_ = 0;
    mutable std::mutex mutex_;
    std::vector<member> members_;

    /// Indexed by grant.
    std::vector<check_request> requests_;
    std::vector<check_request> recent_;
};

} // namespace consistency
