#include "bench/load/failure.hpp"
#include "bench/scenarios/parse_words.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(encryption_test)

using bench::test::parse;

BOOST_AUTO_TEST_CASE(every_url_may_be_https)
{
    auto got = parse({"get", "https://a/x"});
    BOOST_TEST(got.server.uses_tls);
    BOOST_TEST(got.server.port == 443);
    BOOST_TEST(got.server.text() == "https://a:443/x");
    BOOST_TEST(parse({"verify-key", "--url", "https://a:1"}).server.uses_tls);
    auto two = parse({"compare", "--a-url", "https://a:1", "--b-url", "http://b:2"});
    BOOST_TEST(two.a.where->uses_tls);
    BOOST_TEST(!two.b.where->uses_tls);
}

BOOST_AUTO_TEST_CASE(the_comparison_takes_one_url_of_each_kind)
{
    auto running = parse({"tls", "--url", "http://a:1", "--url", "https://b:2"});
    BOOST_TEST(running.servers.size() == 2u);
    BOOST_TEST(parse({"tls", "--start-server"}).start_server);
    BOOST_CHECK_THROW(parse({"tls"}), bench::failure);
    BOOST_CHECK_THROW(parse({"tls", "--url", "https://b:2"}), bench::failure);
    BOOST_CHECK_THROW(parse({"tls", "--url", "https://b:2", "--url", "http://a:1"}), bench::failure);
    BOOST_CHECK_THROW(parse({"tls", "--start-server", "--svg", "x.svg"}), bench::failure);
}

BOOST_AUTO_TEST_CASE(a_started_server_serves_https_on_demand)
{
    BOOST_TEST(parse({"verify-key", "--start-server", "--tls"}).serves_tls);
    BOOST_TEST(!parse({"verify-key", "--start-server"}).serves_tls);
    BOOST_CHECK_THROW(parse({"verify-key", "--tls"}), bench::failure);
    BOOST_CHECK_THROW(parse({"tls", "--start-server", "--tls"}), bench::failure);
    BOOST_CHECK_THROW(parse({"verify-key", "--start-server", "--tls=yes"}), bench::failure);
}

BOOST_AUTO_TEST_SUITE_END()
