// Sign-up, password reset and deletion take as long with millions of rows as with thousands, and sweeps make
// progress: see scripts/ci/scale. As a ctest the large database is small too, and no times are compared.
#include "tests/e2e/operations/scale_cluster.hpp"
#include "tests/e2e/operations/scale_data.hpp"
#include "tests/e2e/operations/scale_samples.hpp"
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

constexpr double limit = 1.2;
constexpr int block_size = 20;
const std::string password = "correct horse battery", next_password = "another horse battery";

/// Who is asked for. Rows of the last kind are spread over the whole of each table.
enum kind : std::size_t { signed_up, recent, old };
const std::array<std::string, 3> kinds{"1 session", "100 recent sessions", "100 old sessions"};

/// A database with a server, and the people that are asked for.
struct site {
    site(const std::string& database, const support::environment& settings)
        : conninfo(database), server(database, settings), client(server.port())
    {
        client.skip_recording();
    }

    support::response post(std::string_view path, std::string body)
    {
        return client.post(base + std::string(path), std::move(body));
    }

    /// Request a reset for each person, eight at the same time: the answers are delayed on purpose.
    void request_resets() const
    {
        std::vector<std::string> addresses;
        for (auto& kind : people)
            addresses.insert(addresses.end(), kind.begin(), kind.end());
        constexpr std::size_t clients = 8;
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < clients; ++i)
            threads.emplace_back([&, i] {
                support::http_client own(server.port());
                own.skip_recording();
                for (auto at = i; at < addresses.size(); at += clients)
                    own.post(base + "/password/forgot", support::object({{"email", addresses[at]}}));
            });
    }

    /// The tokens in so many emails with this subject, by address. Removes all emails.
    std::map<std::string, std::string> emailed_tokens(std::string_view subject, std::size_t count) const
    {
        std::map<std::string, std::string> out;
        bool has_all = support::eventually([&] {
            for (auto& mail : support::mailbox(server.mail_folder()).emails())
                if (mail.subject.find(subject) != mail.subject.npos)
                    out[mail.to.substr(mail.to.find('<') + 1, mail.to.rfind('>') - mail.to.find('<') - 1)] =
                        support::token_in(mail);
            return out.size() >= count;
        });
        BOOST_REQUIRE_MESSAGE(has_all, out.size() << " of " << count << " emails arrived: " << subject);
        for (auto& file : std::filesystem::directory_iterator(server.mail_folder()))
            if (file.path().extension() == ".eml")
                std::filesystem::remove(file);
        return out;
    }

    /// Replace the tokens with access tokens.
    void log_in_all()
    {
        tokens.clear();
        for (auto& kind : people)
            for (auto& address : kind)
                tokens[address] = post("/login", credentials(address, next_password)).text("/access_token");
    }

    std::string conninfo;
    support::running_server server;
    support::http_client client;
    std::deque<std::int64_t> owners;                ///< the numbers of people who own a workspace alone
    std::array<std::vector<std::string>, 3> people; ///< the addresses of each kind in this block
    std::map<std::string, std::string> tokens;      ///< by address
};

support::environment settings_for(const std::string& hash_costs)
{
    static const auto master_key = support::random_master_key();
    support::environment out{{"LATCHKEY_MASTER_KEY", master_key},
                             {"LATCHKEY_PASSWORD_HASH", hash_costs},
                             {"LATCHKEY_MAIL_PER_HOUR", "0"},
                             {"LATCHKEY_DATABASE_CONNECTIONS", "3"},
                             {"LATCHKEY_LOG_LEVEL", "info"}};
    if (is_scale_drill())
        out.emplace_back("LD_PRELOAD", ""); // without the reactor trap
    return out;
}

std::string address_of(std::int64_t person)
{
    return "person" + std::to_string(person) + "@example.com";
}

/// The same requests to both servers, in turn.
class experiment {
public:
    experiment(scale_databases& data, const std::string& hash_costs)
        : data_(data), sites_{std::make_unique<site>(data.conninfo("small"), settings_for(hash_costs)),
                              std::make_unique<site>(data.conninfo("large"), settings_for(hash_costs))}
    {
        for (std::size_t i = 0; i < 2; ++i)
            sites_[i]->owners = data.owners(i == 0 ? "small" : "large");
        std::ranges::shuffle(sites_[1]->owners, std::mt19937_64(1));
    }

    void run(int rounds)
    {
        run_block(std::min(rounds, block_size));
        if (is_scale_drill())
            samples.clear(); // of cold caches
        for (int done = 0; done < rounds; done += block_size)
            run_block(block_size);
    }

    scale_samples samples;

private:
    template <class Request>
    void ask_both(const std::string& name, unsigned status, int round, const Request& request)
    {
        for (int turn = 0; turn < 2; ++turn) {
            auto which = static_cast<std::size_t>((round + turn) % 2);
            auto since = std::chrono::steady_clock::now();
            support::response got = request(*sites_[which]);
            samples.add(name, which, std::chrono::steady_clock::now() - since);
            BOOST_REQUIRE_MESSAGE(got.status == status, name + ": " + got.body);
        }
    }

    void run_block(int rounds);

    scale_databases& data_;
    std::array<std::unique_ptr<site>, 2> sites_;
    std::string run_id_ = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    int signed_up_ = 0;
};

void experiment::run_block(int rounds)
{
    auto count = static_cast<std::size_t>(rounds);
    auto created = data_.next_owners(rounds), replacements = data_.next_owners(rounds);
    for (auto& one : sites_) {
        for (auto& who : {created, replacements})
            add_people(one->conninfo, who);
        for (auto n = replacements.first; n <= replacements.last; n += replacements.step)
            one->owners.push_back(n);
        one->people = {};
        for (auto n = created.first; n <= created.last; n += created.step)
            one->people[recent].push_back(address_of(n));
        for (int i = 0; i < rounds; ++i, one->owners.pop_front())
            one->people[old].push_back(address_of(one->owners.front()));
    }

    for (int i = 0; i < rounds; ++i) {
        auto address = "new" + run_id_ + "x" + std::to_string(++signed_up_) + "@example.com";
        for (auto& one : sites_)
            one->people[signed_up].push_back(address);
        ask_both("sign-up", 201, i,
                 [&](site& at) { return at.post("/signup", credentials(address, password)); });
    }
    for (auto& one : sites_)
        one->tokens = one->emailed_tokens(verify_subject, count);
    for (std::size_t i = 0; i < count; ++i)
        ask_both("verification", 200, static_cast<int>(i), [&](site& at) {
            auto& token = at.tokens.at(at.people[signed_up][i]);
            return at.post("/email/verify", support::object({{"token", token}, {"password", password}}));
        });

    for (auto& one : sites_) {
        one->request_resets();
        one->tokens = one->emailed_tokens(reset_subject, kinds.size() * count);
    }
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t kind = 0; kind < kinds.size(); ++kind)
            ask_both("reset, " + kinds[kind], 204, static_cast<int>(i), [&](site& at) {
                auto& token = at.tokens.at(at.people[kind][i]);
                return at.post("/password/reset",
                               support::object({{"token", token}, {"password", next_password}}));
            });
    for (auto& one : sites_)
        one->log_in_all();
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t kind = 0; kind < kinds.size(); ++kind)
            ask_both("deletion, " + kinds[kind], 204, static_cast<int>(i), [&](site& at) {
                return at.client.send(support::http::verb::delete_, base + "/me",
                                      support::object({{"password", next_password}}),
                                      at.tokens.at(at.people[kind][i]));
            });
}

} // namespace

BOOST_AUTO_TEST_SUITE(scale)

// Two measurements: one in which the database has the greatest part, and one at the default costs of
// passwords. The limit is about the second, and in the first about people with recent rows: each old row is
// on a page of its own, which a large database has to read from the disk.
BOOST_AUTO_TEST_CASE(requests_take_as_long_as_with_a_small_database)
{
    auto& data = scale_databases::shared();
    for (std::string costs : {"m=64,t=1,p=1", "m=19456,t=2,p=1"}) {
        bool is_default = costs != "m=64,t=1,p=1";
        if (is_default && !is_scale_drill())
            break;
        experiment both(data, costs);
        both.run(scale_rounds());
        BOOST_TEST_MESSAGE("password hashes with " << costs << "\n" << both.samples.table());
        if (!is_scale_drill())
            continue;
        for (auto& [name, ratio] : both.samples.ratios_of_p99())
            if (is_default || !name.ends_with(kinds[old]))
                BOOST_TEST(!ratio.exceeds(limit), costs << ", " << name << ": " << ratio.value);
    }
}

// At the default pace: a tenth of the time of one connection.
BOOST_AUTO_TEST_CASE(sweeps_make_progress_under_a_backlog)
{
    auto& data = scale_databases::shared();
    support::sql_connection database(data.conninfo("large"));
    database.run("UPDATE retention_sweeps SET next_at = now()"); // no other server is left
    auto settings = settings_for("m=64,t=1,p=1");
    settings.emplace_back("LATCHKEY_SESSION_RETENTION", "1");
    support::running_server server(data.conninfo("large"), settings);
    auto backlog = [&] {
        return std::stoll(database.run("SELECT count(*) FROM sessions WHERE revoked_at < now()"));
    };
    auto before = backlog();
    BOOST_TEST(before > 0);
    if (!is_scale_drill()) {
        BOOST_TEST(support::eventually([&] { return backlog() == 0; }));
        return;
    }
    constexpr std::chrono::seconds period{60};
    std::this_thread::sleep_for(period);
    auto rate = (before - backlog()) / period.count();
    BOOST_TEST_MESSAGE(rate << " of " << before << " ended sessions deleted per second");
    BOOST_TEST(rate > 1000); // more than the logins of a node
}

BOOST_AUTO_TEST_SUITE_END()
