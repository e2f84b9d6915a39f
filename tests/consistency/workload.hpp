// People with credentials in one workspace, and how what they may do comes to an end.
#pragma once

#include "tests/consistency/nodes.hpp"
#include "tests/e2e/support/signed_up.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace history {

/// What is asked with a credential: may it at all, or with a permission.
struct question {
    std::size_t claim = 0;
    std::string credential, path;
};

/// A manager of the workspace, with a session and a key.
struct person {
    std::string user, email, session, key;
    std::size_t may_sign_in = 0, may_use_key = 0, may_invite = 0; ///< claims
};

/** Whoever is told of is still told of when it is over, so that late successes are found. */
class world {
public:
    world(nodes& all, recorder& history) : all_(all), history_(history), mine_(all, std::chrono::seconds(4))
    {
        auto made = call([](support::http_client& client) {
            return client.post(flows::base + "/signup", credentials("ada@example.com"));
        });
        admin_ = made.text("/access_token");
        workspace_ = made.text("/workspace/id");
    }

    /// Somebody new. May fail while there are faults. @return whether it went well
    bool add_person()
    {
        person who;
        who.email = "p" + std::to_string(++count_) + "@example.com";
        auto made = call([&](support::http_client& client) {
            return client.post(flows::base + "/signup", credentials(who.email));
        });
        who.user = made.text("/user/id");
        if (who.user.empty() || !join(who))
            return false;
        auto login = call([&](support::http_client& client) {
            return client.post(flows::base + "/login", credentials(who.email));
        });
        who.session = login.text("/access_token");
        auto key = call([&](support::http_client& client) {
            return client.post(flows::base + "/api-keys", R"({"name":"k"})", who.session);
        });
        who.key = key.text("/secret");
        if (who.session.empty() || who.key.empty())
            return false;
        who.may_sign_in = add_claim(who.email + " session", who.session, "/auth");
        who.may_use_key = add_claim(who.email + " key", who.key, "/auth");
        who.may_invite = add_claim(who.email + " invites", who.key, "/auth?permission=team:invite");
        std::scoped_lock lock(mutex_);
        people_.push_back(std::move(who));
        return true;
    }

    std::size_t people() const { return people_.size(); }

    /// About what is just being ended or has been lately, or one of the newer questions, mostly.
    question pick(std::mt19937_64& chance) const
    {
        std::scoped_lock lock(mutex_);
        if (!chased_.empty() && std::bernoulli_distribution(0.5)(chance))
            return chased_[std::uniform_int_distribution<std::size_t>(0, chased_.size() - 1)(chance)];
        auto most = questions_.size() - 1;
        std::geometric_distribution<std::size_t> back(0.02);
        return questions_[most - std::min(back(chance), most)];
    }

    std::vector<question> questions() const
    {
        std::scoped_lock lock(mutex_);
        return questions_;
    }

    /** End something of somebody, in one of the ways there are, and insist until it is done. Often it is of
       whoever has just come, whom no node has looked up yet: then the first look-ups meet with the end. */
    void end_something(std::mt19937_64& chance)
    {
        auto who = choose(chance);
        auto key_path = flows::base + "/api-keys/" + who.key.substr(4, 8);
        auto member_path = flows::base + "/team/" + who.user;
        std::vector<std::size_t> key_claims{who.may_use_key, who.may_invite},
            all_claims{who.may_sign_in, who.may_use_key, who.may_invite};
        chase(all_claims);
        switch (std::uniform_int_distribution<int>(0, 5)(chance)) {
        case 0:
            return insist(key_claims, [&](auto& client) { return client.del(key_path, who.session); });
        case 1:
            return insist(key_claims, [&](auto& client) {
                return client.post(key_path + "/rotate", R"({"grace_seconds":0})", who.session);
            });
        case 2:
            return insist({who.may_sign_in}, [&](auto& client) {
                return client.post(flows::base + "/logout", "", who.session);
            });
        case 3:
            return insist({who.may_invite}, [&](auto& client) {
                return client.patch(member_path, R"({"role":"member"})", admin_);
            });
        case 4:
            return insist(all_claims, [&](auto& client) { return client.del(member_path, admin_); });
        default:
            return disable(who, all_claims);
        }
    }

    std::size_t ended() const { return ended_; }

private:
    person choose(std::mt19937_64& chance)
    {
        std::scoped_lock lock(mutex_);
        auto newest = people_.size() - 1;
        auto any = std::uniform_int_distribution<std::size_t>(0, newest)(chance);
        auto which = std::bernoulli_distribution(0.5)(chance) ? newest : any;
        auto chosen = std::move(people_[which]);
        people_.erase(people_.begin() + static_cast<std::ptrdiff_t>(which));
        return chosen;
    }

    void chase(const std::vector<std::size_t>& claims)
    {
        std::scoped_lock lock(mutex_);
        if (chased_.size() >= 4 * claims.size())
            chased_.erase(chased_.begin(), chased_.begin() + static_cast<std::ptrdiff_t>(claims.size()));
        for (auto each : claims)
            chased_.push_back(questions_[each]);
    }

    /// @return false while PostgreSQL is away
    bool join(const person& who)
    {
        try {
            all_.database().sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" +
                                workspace_ + "', '" + who.user +
                                "', 'manager'); UPDATE users SET last_workspace_id = '" + workspace_ +
                                "' WHERE id = '" + who.user + "'");
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }

    static std::string credentials(const std::string& email)
    {
        return support::object({{"email", email}, {"password", "long enough"}});
    }

    /// By whichever node answers. An empty answer if none does.
    support::response call(const std::function<support::response(support::http_client&)>& what)
    {
        for (int i = 0; i < 40; ++i) {
            try {
                auto answer = what(mine_.of(next_++ % all_.size()));
                if (answer.status < 500)
                    return answer;
            } catch (const boost::system::system_error&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        }
        return {};
    }

    std::size_t add_claim(const std::string& what, const std::string& credential, const std::string& path)
    {
        std::scoped_lock lock(mutex_);
        auto id = history_.add({what, clock::now(), {}, {}});
        questions_.push_back({id, credential, flows::base + path});
        return id;
    }

    /** Ask until a call returns with success. What an earlier call may have done is refused to a later one,
       as unknown, over or in conflict: then it is done too, and that call has told so. */
    void insist(const std::vector<std::size_t>& claims,
                const std::function<support::response(support::http_client&)>& what)
    {
        for (auto each : claims)
            history_.begin_revocation(each, clock::now());
        for (bool first = true;; first = false) {
            auto answer = call(what);
            bool done = answer.status >= 200 && answer.status < 300;
            if (done || (!first && answer.status >= 400 && answer.status < 500 && answer.status != 429)) {
                if (done)
                    end(claims);
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    void disable(const person& who, const std::vector<std::size_t>& claims)
    {
        for (auto each : claims)
            history_.begin_revocation(each, clock::now());
        support::environment settings{{"LATCHKEY_DATABASE_URL", all_.database().conninfo()},
                                      {"LATCHKEY_MASTER_KEY", all_.master_key()}};
        for (int i = 0; i < 20; ++i) {
            support::child_process program({support::program_path(), "users", "disable", who.email}, settings,
                                           STDOUT_FILENO);
            if (program.wait(std::chrono::seconds(30)) == 0)
                return end(claims);
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    void end(const std::vector<std::size_t>& claims)
    {
        auto now = clock::now();
        for (auto each : claims)
            history_.end_revocation(each, now);
        ++ended_;
    }

    nodes& all_;
    recorder& history_;
    clients mine_;
    std::string admin_, workspace_;
    std::size_t next_ = 0;
    int count_ = 0;
    std::size_t ended_ = 0;
    mutable std::mutex mutex_;
    std::vector<person> people_;
    std::vector<question> questions_; ///< by claim
    std::vector<question> chased_;
};

} // namespace history
