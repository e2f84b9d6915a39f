// Standard error without a reader: logging neither delays nor stops the server.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/shell_server.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// A server that logs to a FIFO, which is read only by read_log().
struct stalled_log_fixture : shell_server {
    stalled_log_fixture() : path(folder.path() + "/stderr"), pipe(make_pipe(path))
    {
        start("", "2> \"" + path + "\"");
        auto body = support::object({{"email", "ada@example.com"}, {"password", "long enough"}});
        token = client.post(base + "/signup", body).text("/access_token");
        BOOST_REQUIRE(!token.empty());
    }
    ~stalled_log_fixture() { close(pipe); }

    static int make_pipe(const std::string& path)
    {
        // Non-blocking concerns this open file alone; the server opens its own.
        int out = mkfifo(path.c_str(), 0600) == 0 ? open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
        BOOST_REQUIRE(out >= 0);
        return out;
    }

    void fill_pipe() const
    {
        std::string filler(4096, '\n');
        while (write(pipe, filler.data(), filler.size()) > 0)
            ;
        while (write(pipe, "\n", 1) > 0)
            ;
    }

    std::string read_log() const
    {
        std::string out;
        std::array<char, 65536> part;
        for (ssize_t size; (size = read(pipe, part.data(), part.size())) > 0;)
            out.append(part.data(), static_cast<std::size_t>(size));
        return out;
    }

    /// The sum of a counter in a log line, such as "count".
    static long sum(const std::string& log, std::string_view event)
    {
        long out = 0;
        for (auto at = log.find(event); at != log.npos; at = log.find(event, at + 1)) {
            auto count = log.find(R"("count":)", at);
            if (count != log.npos && count + 8 < log.size())
                out += std::stol(log.substr(count + 8, 20));
        }
        return out;
    }

    std::string path;
    int pipe;
    std::string token;
};

} // namespace

BOOST_AUTO_TEST_SUITE(stalled_log)

BOOST_FIXTURE_TEST_CASE(refusals_are_sampled, stalled_log_fixture)
{
    constexpr long storm = 500;
    for (int i = 0; i < storm; ++i)
        BOOST_REQUIRE(client.get("/nowhere").status == 404u);
    std::string log;
    auto omitted = [&] {
        log += read_log();
        return sum(log, "\"refused requests not logged\"");
    };
    auto logged = [&] {
        long out = 0;
        for (auto at = log.find("\"status\":404,\"duration_us\""); at != log.npos;
             at = log.find("\"status\":404,\"duration_us\"", at + 1))
            ++out;
        return out;
    };
    BOOST_TEST(support::eventually([&] { return omitted() + logged() == storm; }));
    BOOST_TEST(logged() >= 10);
    BOOST_TEST(logged() < storm / 2);
}

BOOST_FIXTURE_TEST_CASE(requests_are_answered_dropped_lines_counted_and_sigterm_obeyed, stalled_log_fixture)
{
    BOOST_TEST(client.get(base + "/auth", token).status == 200u);
    fill_pipe();
    client.set_timeout(5s); // a blocked core answers nothing
    for (int i = 0; i < 700; ++i)
        BOOST_REQUIRE(client.get("/nowhere").status == 404u);

    // The routine responses, which level debug logs: more than the rings hold.
    client.set("X-Request-Id", std::string(128, 'x'));
    auto all = [&] {
        for (int i = 0; i < 500; ++i)
            if (client.get(base + "/auth", token).status != 200u || client.get("/healthz").status != 200u)
                return false;
        return true;
    };
    bool is_dropping = false;
    for (int round = 0; round < 20 && !is_dropping; ++round) {
        BOOST_REQUIRE(all());
        is_dropping = metric("latchkey_log_lines_dropped_total") > 0;
    }
    BOOST_TEST(support::eventually([&] { return metric("latchkey_log_lines_dropped_total") > 0; }));

    // A reader that comes back gets the waiting lines, and the number of those dropped.
    std::string log;
    BOOST_TEST(support::eventually([&] {
        log += read_log();
        return sum(log, "\"log lines dropped\"") > 0;
    }));

    fill_pipe();
    auto begin = clock_type::now();
    process->send(SIGTERM);
    BOOST_TEST(process->wait(30s).value_or(-1) == 0);
    BOOST_TEST((clock_type::now() - begin < 5s));
}

BOOST_FIXTURE_TEST_CASE(a_crash_writes_the_log_to_its_end, account_fixture)
{
    client.set("X-Request-Id", "the-last-request");
    client.get(base + "/me", token);
    server.send(SIGABRT);
    BOOST_TEST(server.wait().value_or(0) == -SIGABRT);
    BOOST_TEST(server.log().find("the-last-request") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
