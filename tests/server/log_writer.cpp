#include "server/log_writer.hpp"

#include "server/log.hpp"
#include "server/log_queue.hpp"
#include "tests/support/eventually.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Standard error is a pipe while this exists: report nothing to Boost.Test meanwhile.
struct piped_stderr {
    int saved = dup(STDERR_FILENO);
    std::array<int, 2> ends{};

    piped_stderr()
    {
        if (pipe2(ends.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
        fcntl(ends[0], F_SETFL, O_NONBLOCK); // of the reader's open file alone
        dup2(ends[1], STDERR_FILENO);
    }
    ~piped_stderr()
    {
        dup2(saved, STDERR_FILENO);
        close_reader();
        close(ends[1]);
        close(saved);
    }

    void close_reader()
    {
        if (ends[0] >= 0)
            close(ends[0]);
        ends[0] = -1;
    }

    std::string read_all() const
    {
        std::string out;
        std::array<char, 65536> part;
        for (ssize_t size; (size = read(ends[0], part.data(), part.size())) > 0;)
            out.append(part.data(), static_cast<std::size_t>(size));
        return out;
    }
};

std::size_t lines_in(const std::string& text)
{
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

/// Log lines of about 1 KiB. @return how long it took
std::chrono::nanoseconds log_many(int count)
{
    std::string filler(1000, 'x');
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i)
        server::log_line(server::log_level::warning, "many").add("filler", filler);
    return std::chrono::steady_clock::now() - begin;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_writer)

BOOST_AUTO_TEST_CASE(the_lines_of_all_threads_arrive_whole)
{
    std::string text;
    {
        piped_stderr err;
        {
            server::log_writer writer;
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([t] {
                    for (int i = 0; i < 50; ++i)
                        server::log_line(server::log_level::warning, "part").add("thread", t).add("line", i);
                });
            for (auto& each : threads)
                each.join();
        }
        text = err.read_all();
    }
    BOOST_TEST(lines_in(text) == 200u);
    for (int t = 0; t < 4; ++t) {
        std::size_t at = 0;
        for (int i = 0; i < 50; ++i) { // each thread's in its order
            auto line =
                R"("event":"part","thread":)" + std::to_string(t) + R"(,"line":)" + std::to_string(i) + "}\n";
            at = text.find(line, at);
            BOOST_REQUIRE_MESSAGE(at != text.npos, line);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stalled_reader_delays_no_one_and_learns_of_dropped_lines)
{
    std::string text;
    std::chrono::nanoseconds took{};
    std::uint64_t dropped = 0;
    bool is_reported = false;
    {
        piped_stderr err;
        std::optional<server::log_writer> writer(std::in_place);
        auto before = server::dropped_log_lines();
        took = log_many(1000); // 1 MB: more than the pipe and the ring together
        dropped = server::dropped_log_lines() - before;
        is_reported = support::eventually([&] {
            text += err.read_all();
            return text.find(R"("event":"log lines dropped","count":)" + std::to_string(dropped)) !=
                   text.npos;
        });
        writer.reset(); // writes the rest
        text += err.read_all();
    }
    BOOST_TEST(is_reported);
    BOOST_TEST(dropped > 500u);
    BOOST_TEST(lines_in(text) == 1000u - dropped + 1);
    BOOST_TEST((took < 1s));
}

BOOST_AUTO_TEST_CASE(the_end_waits_a_second_at_most_for_a_stalled_reader)
{
    std::chrono::nanoseconds took{};
    auto end = [&](piped_stderr& err) {
        std::optional<server::log_writer> writer(std::in_place);
        log_many(200);
        auto begin = std::chrono::steady_clock::now();
        writer.reset();
        took = std::chrono::steady_clock::now() - begin;
        server::log_line(server::log_level::warning, "after the end"); // does not wait either
        err.close_reader();                                            // ends the abandoned thread
    };
    {
        piped_stderr err;
        end(err);
        std::this_thread::sleep_for(50ms);
    }
    BOOST_TEST((took >= server::log_flush_limit));
    BOOST_TEST((took < 3 * server::log_flush_limit));
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_gone_stops_nothing)
{
    std::uint64_t dropped = 0;
    bool is_flushed = false;
    {
        piped_stderr err;
        server::log_writer writer;
        err.close_reader();
        auto before = server::dropped_log_lines();
        log_many(10);
        is_flushed = server::flush_log(10s);
        dropped = server::dropped_log_lines() - before;
    }
    BOOST_TEST(is_flushed);
    BOOST_TEST(dropped == 10u);
}

BOOST_AUTO_TEST_CASE(an_exception_that_ends_the_process_is_logged)
{
    std::string text;
    int status = 0;
    {
        piped_stderr err;
        auto child = fork();
        if (child == 0) {
            constexpr rlimit no_core{0, 0};
            setrlimit(RLIMIT_CORE, &no_core);
            std::signal(SIGABRT, SIG_DFL); // Boost.Test catches it
            server::flush_log_on_crash();
            server::log_writer writer;
            server::log_line(server::log_level::warning, "before");
            std::thread([] { throw std::runtime_error("the reason"); }).join();
            _exit(0);
        }
        waitpid(child, &status, 0);
        text = err.read_all();
    }
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGABRT);
    BOOST_TEST(text.find("\"before\"") != text.npos, text);
    BOOST_TEST(text.find(R"("event":"terminated","cause":"the reason")") != text.npos, text);
}

BOOST_AUTO_TEST_CASE(without_a_writer_a_line_is_written_at_once)
{
    std::string text;
    {
        piped_stderr err;
        server::write_to_stderr("plain\n", 1s);
        text = err.read_all();
    }
    BOOST_TEST(text == "plain\n");
}

BOOST_AUTO_TEST_SUITE_END()
