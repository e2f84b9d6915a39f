#include "bench/load/failure.hpp"
#include "bench/scenarios/lists.hpp"
#include "bench/scenarios/parse_words.hpp"

#include <boost/test/unit_test.hpp>

using bench::test::parse;

namespace {

/// A fake list with row numbers as cursors. Records the requested targets.
struct fake_list {
    std::size_t rows;
    std::vector<std::string> requested;

    bench::page_reader reader()
    {
        return [this](const std::string& target) {
            requested.push_back(target);
            auto cursor = target.find("cursor=");
            auto from = cursor == std::string::npos ? 0 : std::stoul(target.substr(cursor + 7));
            auto next = from + 200;
            return std::string("{\"next_cursor\":") +
                   (next < rows ? '"' + std::to_string(next) + '"' : std::string("null")) + "}";
        };
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(lists_test)

BOOST_AUTO_TEST_CASE(deep_pages_are_found_in_one_pass)
{
    fake_list thousands{10'000, {}};
    auto pages = bench::find_pages(thousands.reader(), "/list", thousands.rows, {0, 0.5, 0.99});
    std::vector<std::string> expected{"/list?limit=50", "/list?limit=50&cursor=5000",
                                      "/list?limit=50&cursor=9800"};
    BOOST_TEST(pages == expected, boost::test_tools::per_element());
    BOOST_TEST(thousands.requested.size() == 49u);
    BOOST_TEST(thousands.requested.front() == "/list?limit=200");
    BOOST_TEST(thousands.requested.back() == "/list?limit=200&cursor=9600");
}

BOOST_AUTO_TEST_CASE(the_first_page_needs_no_request_and_keeps_its_filters)
{
    fake_list some{10'000, {}};
    auto pages = bench::find_pages(some.reader(), "/list?status=active", some.rows, {0});
    BOOST_REQUIRE(pages.size() == 1u);
    BOOST_TEST(pages[0] == "/list?status=active&limit=50");
    BOOST_TEST(some.requested.empty());
}

BOOST_AUTO_TEST_CASE(a_list_that_ends_too_early_is_not_measured)
{
    fake_list short_one{1'000, {}};
    BOOST_CHECK_THROW(bench::find_pages(short_one.reader(), "/list", 10'000, {0, 0.5}), bench::failure);
}

BOOST_AUTO_TEST_CASE(pages_take_their_sizes_from_the_command_line)
{
    auto wanted = parse({"pages", "--start-server", "--keys", "10k", "--members=500", "--events", "2k"});
    BOOST_TEST(wanted.key_count.value() == 10'000u);
    BOOST_TEST(wanted.members.value() == 500u);
    BOOST_TEST(wanted.events.value() == 2'000u);
    BOOST_TEST(!parse({"pages", "--start-server"}).members.has_value());
    BOOST_CHECK_THROW(parse({"pages", "--start-server", "--svg", "x.svg"}), bench::failure);
}

BOOST_AUTO_TEST_SUITE_END()
