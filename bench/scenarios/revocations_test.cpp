#include "bench/load/failure.hpp"
#include "bench/scenarios/parse_words.hpp"
#include "bench/scenarios/pgbench.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

BOOST_AUTO_TEST_SUITE(revocations_test)

using bench::test::parse;

namespace {

bench::key_set make_keys(std::size_t count)
{
    bench::key_set out;
    for (std::size_t i = 0; i < count; ++i) {
        auto number = std::to_string(10'000'000 + i);
        out.add("tnx_" + number + "_" + std::string(38, 'x'));
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(each_key_is_revoked_once_by_its_owner)
{
    auto keys = make_keys(10);
    std::vector<std::string> tokens{"short", "a-longer-token", "t3"};
    auto all = bench::revoke({.host = "h", .port = 1}, keys, tokens, 2, 9);
    BOOST_TEST(all.kinds.front().expected_status == 204);
    std::set<std::string> seen;
    for (std::size_t thread : {0u, 1u}) {
        auto source = all.make_source(thread, 2);
        while (auto next = source->next()) {
            std::string text(next->bytes);
            auto prefix = text.substr(text.find("/api-keys/") + 10, 8);
            BOOST_TEST(text.starts_with("DELETE /api/v1/users/api-keys/" + prefix + " HTTP/1.1\r\n"));
            auto number = std::stoul(prefix) - 10'000'000;
            BOOST_TEST(text.find("Bearer " + tokens[number % 3] + "\r\n") != text.npos);
            BOOST_TEST(seen.insert(prefix).second);
        }
    }
    BOOST_TEST(seen.size() == 7u);
    BOOST_CHECK_THROW(bench::revoke({}, keys, tokens, 5, 11), bench::failure);
}

BOOST_AUTO_TEST_CASE(the_rate_of_pgbench_is_read)
{
    BOOST_TEST(bench::read_pgbench_rate("latency average = 1 ms\ntps = 912.25 (without initial)\n").value() ==
               912.25);
    BOOST_TEST(!bench::read_pgbench_rate("pgbench: error: connection failed\n"));
    BOOST_TEST(!bench::read_pgbench_rate("tps = x"));
}

BOOST_AUTO_TEST_CASE(several_servers_are_for_this_command)
{
    auto two = parse({"revoke", "--url", "http://a:1", "--url", "http://b:2"});
    BOOST_TEST(two.servers.size() == 2u);
    BOOST_TEST(parse({"revoke", "--start-server", "--nodes", "3"}).nodes.value() == 3u);
    BOOST_CHECK_THROW(parse({"login", "--url", "http://a:1", "--url", "http://b:2"}), bench::failure);
    BOOST_CHECK_THROW(parse({"login", "--start-server", "--nodes", "2"}), bench::failure);
    BOOST_CHECK_THROW(parse({"revoke", "--nodes", "2"}), bench::failure);
}

BOOST_AUTO_TEST_SUITE_END()
