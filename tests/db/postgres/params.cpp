// Encoding of parameters, without a database; tests/db/postgres/pipeline.cpp tests
// that PostgreSQL reads them.
#include "db/postgres/params.hpp"

#include <boost/describe/enum.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(params)

namespace {

enum class mood { calm, cross };
BOOST_DESCRIBE_ENUM(mood, calm, cross)

struct encoded {
    bool null;
    bool binary;
    std::string bytes;
};

template <class T>
encoded encode(const T& value)
{
    db::params all;
    all.add(value);
    db::params::pointers out;
    all.point(0, 1, out);
    if (!out.values[0])
        return {true, false, {}};
    return {false, out.formats[0] == 1, {out.values[0], static_cast<std::size_t>(out.lengths[0])}};
}

template <class T>
std::string text(const T& value)
{
    auto all = encode(value);
    BOOST_TEST(!all.null);
    BOOST_TEST(!all.binary);
    return all.bytes;
}

} // namespace

BOOST_AUTO_TEST_CASE(scalars_are_text)
{
    BOOST_TEST(text("a literal") == "a literal");
    BOOST_TEST(text(std::string("a string")) == "a string");
    BOOST_TEST(text("") == "");
    BOOST_TEST(text(true) == "t");
    BOOST_TEST(text(false) == "f");
    BOOST_TEST(text(-7) == "-7");
    BOOST_TEST(text(std::int64_t{INT64_MIN}) == "-9223372036854775808");
    BOOST_TEST(text(std::size_t{UINT64_MAX}) == "18446744073709551615");
    BOOST_TEST(text(0.25) == "0.25");
    BOOST_TEST(text(mood::cross) == "cross");
}

BOOST_AUTO_TEST_CASE(nullopt_is_null)
{
    BOOST_TEST(encode(nullptr).null);
    BOOST_TEST(encode(std::nullopt).null);
    BOOST_TEST(encode(std::optional<int>()).null);
    BOOST_TEST(text(std::optional<int>(3)) == "3");
    BOOST_TEST(text(std::optional<std::string>("")) == "");
}

BOOST_AUTO_TEST_CASE(timestamps_are_iso_8601_in_utc)
{
    using namespace std::chrono;
    auto day = sys_days{2024y / February / 29};
    BOOST_TEST(text(db::timestamp(day + 23h + 59min + 7s + 42us)) == "2024-02-29 23:59:07.000042+00");
    BOOST_TEST(text(db::timestamp(sys_days{1969y / December / 31} + 1us)) == "1969-12-31 00:00:00.000001+00");
    BOOST_TEST(text(sys_seconds(day)) == "2024-02-29 00:00:00.000000+00");
    BOOST_CHECK_THROW(text(db::timestamp::max()), db::failure);
    BOOST_CHECK_THROW(text(db::timestamp::min()), db::failure);
}

BOOST_AUTO_TEST_CASE(a_uuid_is_its_digits)
{
    db::uuid id{
        {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10}};
    BOOST_TEST(text(id) == "0123456789abcdeffedcba9876543210");
}

BOOST_AUTO_TEST_CASE(bytes_are_binary_and_may_hold_any_value)
{
    auto three = encode(std::vector<std::uint8_t>{0, 255, 0});
    BOOST_TEST(three.binary);
    BOOST_TEST(three.bytes == std::string("\0\xff\0", 3));
    BOOST_TEST(encode(db::digest{}).bytes == std::string(32, '\0'));
    BOOST_TEST(!encode(std::vector<std::uint8_t>()).null);
}

BOOST_AUTO_TEST_CASE(arrays_quote_what_would_be_syntax)
{
    using texts = std::vector<std::string>;
    BOOST_TEST(text(texts{}) == "{}");
    BOOST_TEST(text(texts{"a", "", "b,c", "d}", "\"e\"", "\\f", "NULL"}) ==
               R"({"a","","b,c","d}","\"e\"","\\f","NULL"})");
    BOOST_TEST(text(std::vector<std::string_view>{"x"}) == R"({"x"})");
    BOOST_TEST(text(std::vector<int>{1, -2}) == "{1,-2}");
    BOOST_TEST(text(std::vector<std::int64_t>{}) == "{}");
}

BOOST_AUTO_TEST_CASE(arrays_of_ids_and_digests_are_binary)
{
    auto none = encode(std::vector<db::uuid>());
    BOOST_TEST(none.binary);
    BOOST_TEST(none.bytes.size() == 12u);
    BOOST_TEST(encode(std::vector<db::uuid>(3)).bytes.size() == 20u + 3 * 20);
    BOOST_TEST(encode(std::vector<db::digest>(2)).bytes.size() == 20u + 2 * 36);
}

BOOST_AUTO_TEST_CASE(a_nul_character_is_rejected_not_truncated)
{
    BOOST_CHECK_THROW(text(std::string("a\0b", 3)), db::failure);
    BOOST_CHECK_THROW(text(std::vector<std::string>{std::string("\0", 1)}), db::failure);
}

BOOST_AUTO_TEST_CASE(encoded_values_do_not_refer_to_their_source)
{
    db::params all;
    {
        std::string soon_gone(1000, 'x');
        all.add(soon_gone);
        soon_gone.assign(1000, 'y');
    }
    for (int more = 0; more < 100; ++more)
        all.add(std::string(1000, 'z'));
    db::params::pointers out;
    all.point(0, 2, out);
    BOOST_TEST(std::string(out.values[0]) == std::string(1000, 'x'));
    BOOST_TEST(std::string(out.values[1]) == std::string(1000, 'z'));
}

BOOST_AUTO_TEST_SUITE_END()
