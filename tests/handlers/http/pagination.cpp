#include "handlers/http/pagination.hpp"

#include "tests/handlers/handler_fixture.hpp"
#include "tests/support/forge.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>
#include <vector>

using namespace handlers;
using handlers::test::id_of;

namespace {

/// The position of a cursor: its id, "start" without one, or the code of the error.
std::string outcome(page_cursor& list, schemas::omittable<std::string> cursor)
{
    auto read = list.read(cursor);
    if (!read)
        return std::string(read.error().code.name());
    auto& id = *read;
    return id ? std::to_string(id->data[15]) : "start";
}

struct item {
    db::uuid id;
};

struct paged : handlers::test::handler_fixture {
    call ada = as_user(7);
    page_cursor keys{ada, "api_keys"};
    std::string cursor = keys.write(id_of(42));

    schemas::page<item> page_of(std::size_t rows, std::int64_t limit)
    {
        std::vector<item> found;
        for (std::size_t i = 0; i < rows; ++i)
            found.push_back({id_of(static_cast<std::uint8_t>(i))});
        return make_page<item>(keys, found, limit, 99, [](const item& row) { return row; });
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(pagination)

BOOST_FIXTURE_TEST_CASE(a_cursor_holds_the_position_in_its_list, paged)
{
    BOOST_TEST(outcome(keys, cursor) == "42");
    BOOST_TEST(outcome(keys, {}) == "start");
    page_cursor later(ada, "api_keys");
    BOOST_TEST(outcome(later, cursor) == "42");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_bound_to_its_list_and_caller, paged)
{
    for (auto name : {"sessions", "api_keys:active", "api_key", ""}) {
        page_cursor other(ada, name);
        BOOST_TEST(outcome(other, cursor) == "invalid_cursor", name);
    }
    auto bob = as_user(8);
    page_cursor his(bob, "api_keys");
    BOOST_TEST(outcome(his, cursor) == "invalid_cursor");
    db::principal elsewhere = *ada.principal;
    elsewhere.workspace_id = id_of(2);
    auto abroad = as(elsewhere);
    page_cursor there(abroad, "api_keys");
    BOOST_TEST(outcome(there, cursor) == "invalid_cursor");
    auto of_workspace = as(db::principal());
    page_cursor ours(of_workspace, "api_keys");
    BOOST_TEST(outcome(ours, cursor) == "invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_valid_for_other_credentials_of_the_caller, paged)
{
    db::principal by_key = *ada.principal;
    by_key.kind = db::principal::kind_type::api_key;
    by_key.credential_id = id_of(101);
    auto same = as(by_key);
    page_cursor list(same, "api_keys");
    BOOST_TEST(outcome(list, cursor) == "42");
}

BOOST_FIXTURE_TEST_CASE(forged_cursors_are_rejected, paged)
{
    for (std::size_t i = 0; i < cursor.size(); ++i) {
        BOOST_TEST(outcome(keys, support::forge(cursor, i)) == "invalid_cursor", i);
    }
    for (auto text : {"", "x", "null", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
        BOOST_TEST(outcome(keys, std::string(text)) == "invalid_cursor", text);
    auto short_one =
        cx.cursors.sign("too short", "api_keys/" + to_string(id_of(1)) + "/" + to_string(id_of(7)));
    BOOST_TEST(outcome(keys, short_one) == "invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(an_extra_row_means_a_next_page, paged)
{
    auto full = page_of(4, 3);
    BOOST_TEST(full.items.size() == 3u);
    BOOST_TEST_REQUIRE(full.next_cursor.has_value());
    BOOST_TEST(outcome(keys, *full.next_cursor) == "2"); // the last one shown
    BOOST_TEST(*full.total == 99);
}

BOOST_FIXTURE_TEST_CASE(the_last_page_has_no_next, paged)
{
    for (std::size_t rows : {0u, 1u, 3u}) {
        auto last = page_of(rows, 3);
        BOOST_TEST(last.items.size() == rows);
        BOOST_TEST(!last.next_cursor.has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()
