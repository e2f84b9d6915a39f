#include "db/postgres/host_list.hpp"

#include "db/postgres/error.hpp"
#include "tests/support/io.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>

using namespace std::chrono_literals;
using db::keywords;

namespace {

/// Names and their addresses; others cannot be resolved.
db::dns_resolver known(std::map<std::string, std::vector<std::string>> names)
{
    db::dns_resolver::config settings;
    settings.resolve = [names = std::move(names)](const std::string& name) {
        db::dns_resolver::addresses out;
        if (!names.contains(name))
            throw std::runtime_error("no such name");
        for (auto& each : names.at(name))
            out.push_back(boost::asio::ip::make_address(each));
        return out;
    };
    return db::dns_resolver(std::move(settings));
}

/// The parameters as libpq gets them.
keywords complete(keywords settings, const db::dns_resolver& names)
{
    boost::asio::io_context io(1);
    auto hosts = support::run(io, [&] { return db::resolve_hosts(names, db::read_hosts(settings), 10s); });
    for (auto& each : hosts)
        BOOST_TEST(!each.is_name());
    db::write_hosts(settings, hosts);
    for (auto& each : db::read_hosts(settings))
        BOOST_TEST(!each.is_name()); // the rule: libpq has nothing to resolve
    return settings;
}

std::string failure_of(const keywords& settings, const db::dns_resolver& names)
{
    try {
        complete(settings, names);
    } catch (const db::failure& e) {
        return e.what();
    }
    return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(host_list)

BOOST_AUTO_TEST_CASE(a_name_gets_its_addresses_and_keeps_its_port)
{
    auto names = known({{"db.test", {"192.0.2.1", "2001:db8::1"}}, {"other.test", {"192.0.2.7"}}});
    keywords one{{"host", "db.test"}, {"port", "5433"}, {"dbname", "x"}};
    BOOST_TEST((complete(one, names) == keywords{{"host", "db.test,db.test"},
                                                 {"hostaddr", "192.0.2.1,2001:db8::1"},
                                                 {"port", "5433,5433"},
                                                 {"dbname", "x"}}));
    keywords two{{"host", "other.test,db.test"}, {"port", "1,2"}};
    BOOST_TEST((complete(two, names) == keywords{{"host", "other.test,db.test,db.test"},
                                                 {"hostaddr", "192.0.2.7,192.0.2.1,2001:db8::1"},
                                                 {"port", "1,2,2"}}));
    keywords defaults{{"host", "other.test"}};
    BOOST_TEST((complete(defaults, names) == keywords{{"host", "other.test"}, {"hostaddr", "192.0.2.7"}}));
}

BOOST_AUTO_TEST_CASE(sockets_and_addresses_need_no_resolver)
{
    auto names = known({});
    for (keywords each : {keywords{}, keywords{{"host", "/run/postgresql"}}, keywords{{"host", "@abstract"}},
                          keywords{{"host", "/a,/b"}, {"port", "1,2"}}, keywords{{"hostaddr", "192.0.2.1"}},
                          keywords{{"host", "unknown.test"}, {"hostaddr", "192.0.2.1"}}})
        BOOST_TEST((complete(each, names) == each || complete(each, names).contains("hostaddr")));
    keywords numeric{{"host", "192.0.2.1,::1"}};
    BOOST_TEST(
        (complete(numeric, names) == keywords{{"host", "192.0.2.1,::1"}, {"hostaddr", "192.0.2.1,::1"}}));
    keywords mixed{{"host", "/run/postgresql,192.0.2.1"}};
    BOOST_TEST((complete(mixed, names) ==
                keywords{{"host", "/run/postgresql,192.0.2.1"}, {"hostaddr", ",192.0.2.1"}}));
}

BOOST_AUTO_TEST_CASE(a_host_without_an_address_is_left_out)
{
    auto names = known({{"db.test", {"192.0.2.1"}}});
    keywords two{{"host", "missing.test,db.test"}, {"port", "1,2"}};
    BOOST_TEST(
        (complete(two, names) == keywords{{"host", "db.test"}, {"hostaddr", "192.0.2.1"}, {"port", "2"}}));
    auto error = failure_of({{"host", "missing.test,gone.test"}}, names);
    BOOST_TEST(error.find("missing.test: name resolution failed: no such name") != error.npos, error);
    BOOST_TEST(error.find("gone.test") != error.npos, error);
}

BOOST_AUTO_TEST_CASE(lists_of_different_lengths_are_refused)
{
    auto names = known({});
    BOOST_TEST(failure_of({{"host", "/a,/b,/c"}, {"port", "1,2"}}, names) != "");
    BOOST_TEST(failure_of({{"host", "/a,/b"}, {"hostaddr", "192.0.2.1"}}, names) != "");
    BOOST_TEST(failure_of({{"service", "main"}}, names).find("service") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
