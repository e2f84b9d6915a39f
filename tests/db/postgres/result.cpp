// Decoding of synthetic rows; tests/db/postgres/pipeline.cpp tests that PostgreSQL sends such rows.
#include "db/postgres/result.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(result)

using namespace std::string_literals;

namespace {

enum class mood { calm, cross };
BOOST_DESCRIBE_ENUM(mood, calm, cross)

struct person {
    int id;
    std::optional<std::string> name;
    bool tall;
};
BOOST_DESCRIBE_STRUCT(person, (), (id, name, tall))

constexpr Oid boolean = 16, bytea = 17, int8 = 20, int2 = 21, int4 = 23, text = 25, text_array = 1009,
              timestamptz = 1184, uuid = 2950, jsonb = 3802, an_enum = 16500;

struct column {
    std::string name;
    Oid type;
};
using value = std::optional<std::string>;

db::result table(std::vector<column> columns, const std::vector<std::vector<value>>& rows)
{
    db::result made(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
    std::vector<PGresAttDesc> descriptions;
    for (auto& each : columns)
        descriptions.push_back({each.name.data(), 0, 0, 1, each.type, -1, -1});
    PQsetResultAttrs(made.get(), static_cast<int>(columns.size()), descriptions.data());
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t at = 0; at < columns.size(); ++at) {
            auto bytes = rows[row][at];
            PQsetvalue(made.get(), static_cast<int>(row), static_cast<int>(at),
                       bytes ? bytes->data() : nullptr, bytes ? static_cast<int>(bytes->size()) : -1);
        }
    return made;
}

template <class T>
T read(Oid type, value bytes)
{
    return table({{"it", type}}, {{std::move(bytes)}}).scalar<T>();
}

} // namespace

BOOST_AUTO_TEST_CASE(members_are_found_by_name_in_any_order)
{
    auto rows =
        table({{"tall", boolean}, {"unasked", int4}, {"name", text}, {"id", int4}},
              {{"\1", "\0\0\0\0"s, "Ada", "\0\0\0\7"s}, {"\0"s, std::nullopt, std::nullopt, "\0\0\1\0"s}});
    auto people = rows.as_vector<person>();
    BOOST_TEST(people.size() == 2u);
    BOOST_TEST(people[0].id == 7);
    BOOST_TEST(people[0].name.value() == "Ada");
    BOOST_TEST(people[0].tall);
    BOOST_TEST(people[1].id == 256);
    BOOST_TEST(!people[1].name);
    BOOST_TEST(!people[1].tall);
}

BOOST_AUTO_TEST_CASE(a_member_without_a_column_is_named)
{
    auto rows = table({{"id", int4}, {"name", text}}, {{"\0\0\0\7"s, "Ada"}});
    auto names_it = [](const db::failure& why) { return "no column is named tall"s == why.what(); };
    BOOST_CHECK_EXCEPTION(rows.as_one<person>(), db::failure, names_it);
}

BOOST_AUTO_TEST_CASE(as_one_requires_exactly_one_row)
{
    std::vector<column> columns{{"it", int4}};
    auto none = table(columns, {}), two = table(columns, {{"\0\0\0\1"s}, {"\0\0\0\2"s}});
    BOOST_CHECK_THROW(none.as_one<int>(), db::failure);
    BOOST_TEST(!none.as_optional<int>());
    BOOST_TEST(none.as_vector<int>().empty());
    BOOST_CHECK_THROW(two.as_one<int>(), db::failure);
    BOOST_CHECK_THROW(two.as_optional<int>(), db::failure);
    BOOST_TEST(two.as_vector<int>() == (std::vector{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(numbers_of_every_width_fit_or_are_rejected)
{
    BOOST_TEST(read<int>(int2, "\xff\xfe"s) == -2);
    BOOST_TEST(read<int>(int4, "\x80\0\0\0"s) == INT32_MIN);
    BOOST_TEST(read<std::int64_t>(int4, "\xff\xff\xff\xff"s) == -1);
    BOOST_TEST(read<std::int64_t>(int8, "\x7f\xff\xff\xff\xff\xff\xff\xff"s) == INT64_MAX);
    BOOST_TEST(read<int>(int8, "\0\0\0\0\0\0\0\5"s) == 5);
    BOOST_CHECK_THROW(read<int>(int8, "\0\0\0\1\0\0\0\0"s), db::failure);
    BOOST_CHECK_THROW(read<std::int16_t>(int4, "\0\1\0\0"s), db::failure);
    BOOST_CHECK_THROW(read<int>(text, "5"), db::failure);
}

BOOST_AUTO_TEST_CASE(nulls_need_an_optional)
{
    BOOST_CHECK_THROW(read<int>(int4, std::nullopt), db::failure);
    BOOST_CHECK_THROW(read<std::string>(text, std::nullopt), db::failure);
    BOOST_CHECK_THROW(read<std::vector<std::string>>(text_array, std::nullopt), db::failure);
    BOOST_TEST(!read<std::optional<int>>(int4, std::nullopt));
    BOOST_TEST(!read<std::optional<db::digest>>(bytea, std::nullopt));
}

BOOST_AUTO_TEST_CASE(texts_come_from_textual_types_only)
{
    BOOST_TEST(read<std::string>(text, "") == "");
    BOOST_TEST(read<std::string>(an_enum, "calm") == "calm");
    BOOST_TEST(read<std::string>(jsonb, "\1{}") == "{}");
    BOOST_CHECK_THROW(read<std::string>(uuid, std::string(16, 'x')), db::failure);
    BOOST_CHECK_THROW(read<std::string>(bytea, "x"), db::failure);
}

BOOST_AUTO_TEST_CASE(enums_are_read_by_name)
{
    BOOST_TEST((read<mood>(an_enum, "cross") == mood::cross));
    BOOST_TEST((read<mood>(text, "calm") == mood::calm));
    BOOST_CHECK_THROW(read<mood>(text, "hungry"), db::failure);
}

BOOST_AUTO_TEST_CASE(timestamps_are_counted_from_2000)
{
    using namespace std::chrono;
    BOOST_TEST((read<db::timestamp>(timestamptz, std::string(8, '\0')) == sys_days{2000y / January / 1}));
    BOOST_TEST(
        (read<db::timestamp>(timestamptz, std::string(8, '\xff')) == sys_days{2000y / January / 1} - 1us));
    BOOST_CHECK_THROW(read<db::timestamp>(timestamptz, "\x7f\xff\xff\xff\xff\xff\xff\xff"s), db::failure);
    BOOST_CHECK_THROW(read<db::timestamp>(timestamptz, "\x80\0\0\0\0\0\0\0"s), db::failure);
    BOOST_CHECK_THROW(read<db::timestamp>(timestamptz, "\x7f\xff\xff\xff\xff\xff\xff\xfe"s), db::failure);
}

BOOST_AUTO_TEST_CASE(bytes_and_digests)
{
    BOOST_TEST((read<std::vector<std::uint8_t>>(bytea, "\0\xff"s) == std::vector<std::uint8_t>{0, 255}));
    BOOST_TEST(read<db::digest>(bytea, std::string(32, '\7'))[31] == 7);
    BOOST_CHECK_THROW(read<db::digest>(bytea, std::string(31, '\7')), db::failure);
}

BOOST_AUTO_TEST_CASE(arrays_of_one_dimension)
{
    using texts = std::vector<std::string>;
    using maybe_texts = std::vector<std::optional<std::string>>;
    auto none = "\0\0\0\0"
                "\0\0\0\0"
                "\0\0\0\x19"s;
    auto two = "\0\0\0\1"
               "\0\0\0\1"
               "\0\0\0\x19"
               "\0\0\0\2"
               "\0\0\0\1"
               "\0\0\0\1"
               "a"
               "\xff\xff\xff\xff"s;
    auto nested = "\0\0\0\2"
                  "\0\0\0\0"
                  "\0\0\0\x19"
                  "\0\0\0\0"
                  "\0\0\0\1"
                  "\0\0\0\0"
                  "\0\0\0\1"s;
    BOOST_TEST(read<texts>(text_array, none).empty());
    BOOST_TEST((read<maybe_texts>(text_array, two) == maybe_texts{"a", std::nullopt}));
    BOOST_CHECK_THROW(read<texts>(text_array, two), db::failure);
    BOOST_CHECK_THROW(read<texts>(text_array, nested), db::failure);
    BOOST_CHECK_THROW(read<texts>(text_array, two.substr(0, 15)), db::failure);
}

BOOST_AUTO_TEST_CASE(a_moved_result_keeps_its_rows)
{
    auto first = table({{"it", int4}}, {{"\0\0\0\1"s}});
    auto second = std::move(first);
    BOOST_TEST(second.scalar<int>() == 1);
    BOOST_TEST(!first);
}

BOOST_AUTO_TEST_SUITE_END()
