// Query results, decoded from PostgreSQL's binary format into described structs.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/params.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <libpq-fe.h>

#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace db {

/// One value of one row, in PostgreSQL's binary format.
struct cell {
    std::string_view column;
    std::string_view bytes;
    Oid type;
    bool null;
};

/** Read a cell as T: text (also of enums, citext, json and jsonb), a number (in range), bool, a described
    enum (by its name), uuid, timestamp, digest, bytes, a vector of these (a one-dimensional array), or an
    optional of these.
    @throw failure (mapping) if the cell is NULL and T is no optional, or of another type, or infinite */
template <class T>
T decode(const cell& from);

/// The answer of one statement.
class result {
public:
    result() = default;
    explicit result(PGresult* owned) : owned_(owned) {}

    PGresult* get() const { return owned_.get(); }
    explicit operator bool() const { return owned_ != nullptr; }

    /// Rows returned.
    std::size_t size() const { return static_cast<std::size_t>(PQntuples(get())); }
    bool empty() const { return size() == 0; }

    /// Rows inserted, updated, deleted or selected.
    std::size_t affected() const;

    /** The only row as a described struct, each member read from the column of its name; or, if Row is no
        struct, the first column of the only row.
        @throw failure (mapping) if there is not exactly one row, or a member has no column */
    template <class Row>
    Row as_one() const;

    /// As as_one(), or nothing if there is no row.
    template <class Row>
    std::optional<Row> as_optional() const;

    /// Every row, in order.
    template <class Row>
    std::vector<Row> as_vector() const;

    /// The first column of the only row.
    template <class T>
    T scalar() const
    {
        return as_one<T>();
    }

private:
    struct clear {
        void operator()(PGresult* owned) const { PQclear(owned); }
    };

    void expect_rows(std::size_t min, std::size_t max) const;
    int column_of(const char* name, int hint) const;
    cell at(std::size_t row, int column) const;

    template <class Row>
    static auto members();
    template <class Row>
    auto columns() const;
    template <class Row, class Columns>
    Row read(std::size_t row, const Columns& columns) const;

    std::unique_ptr<PGresult, clear> owned_;
};

/// The answers of one batch, in the order of its statements.
class results {
public:
    result& operator[](std::size_t index) { return all_[index]; }
    const result& operator[](std::size_t index) const { return all_[index]; }
    const result& first() const { return all_.front(); }
    const result& last() const { return all_.back(); }
    std::size_t size() const { return all_.size(); }
    auto begin() const { return all_.begin(); }
    auto end() const { return all_.end(); }

    void add(result answer) { all_.push_back(std::move(answer)); }

    result take_last()
    {
        auto out = std::move(all_.back());
        all_.pop_back();
        return out;
    }

private:
    boost::container::small_vector<result, 4> all_;
};

namespace decoding {

std::string_view text(const cell& from);
std::int64_t integer(const cell& from, std::int64_t min, std::int64_t max);
bool boolean(const cell& from);
uuid identifier(const cell& from);
timestamp time(const cell& from);
std::span<const std::uint8_t> bytes(const cell& from);
digest fixed_bytes(const cell& from);
std::vector<cell> elements(const cell& from);

[[noreturn]] void fail(const cell& from, std::string_view why);

} // namespace decoding

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

template <class T>
T decode(const cell& from)
{
    if constexpr (is_optional<T>) {
        return from.null ? T() : T(decode<typename T::value_type>(from));
    } else if constexpr (std::same_as<T, std::string>) {
        return std::string(decoding::text(from));
    } else if constexpr (std::same_as<T, bool>) {
        return decoding::boolean(from);
    } else if constexpr (std::signed_integral<T>) {
        using limits = std::numeric_limits<T>;
        return static_cast<T>(decoding::integer(from, limits::min(), limits::max()));
    } else if constexpr (described_enum<T>) {
        T value{};
        if (!boost::describe::enum_from_string(std::string(decoding::text(from)).c_str(), value))
            decoding::fail(from, "holds a name that its enum lacks");
        return value;
    } else if constexpr (std::same_as<T, uuid>) {
        return decoding::identifier(from);
    } else if constexpr (std::same_as<T, timestamp>) {
        return decoding::time(from);
    } else if constexpr (std::same_as<T, digest>) {
        return decoding::fixed_bytes(from);
    } else if constexpr (std::same_as<T, std::vector<std::uint8_t>>) {
        auto bytes = decoding::bytes(from);
        return {bytes.begin(), bytes.end()};
    } else {
        static_assert(is_vector<T>, "no way to read this type from a column");
        T values;
        for (const auto& element : decoding::elements(from))
            values.push_back(decode<typename T::value_type>(element));
        return values;
    }
}

template <class Row>
concept described_struct = boost::describe::has_describe_members<Row>::value && !std::is_enum_v<Row>;

template <class Row>
auto result::columns() const
{
    if constexpr (described_struct<Row>) {
        using members = boost::describe::describe_members<Row, boost::describe::mod_public>;
        std::array<int, boost::mp11::mp_size<members>::value> found{};
        int next = 0;
        boost::mp11::mp_for_each<members>([&](auto member) {
            found[static_cast<std::size_t>(next)] = column_of(member.name, next);
            ++next;
        });
        return found;
    } else {
        return std::array{0};
    }
}

template <class Row, class Columns>
Row result::read(std::size_t row, const Columns& columns) const
{
    if constexpr (described_struct<Row>) {
        using members = boost::describe::describe_members<Row, boost::describe::mod_public>;
        Row out{};
        auto column = columns.begin();
        boost::mp11::mp_for_each<members>([&](auto member) {
            auto& field = out.*member.pointer;
            field = decode<std::remove_reference_t<decltype(field)>>(at(row, *column++));
        });
        return out;
    } else {
        return decode<Row>(at(row, columns.front()));
    }
}

template <class Row>
Row result::as_one() const
{
    expect_rows(1, 1);
    return read<Row>(0, columns<Row>());
}

template <class Row>
std::optional<Row> result::as_optional() const
{
    expect_rows(0, 1);
    if (empty())
        return std::nullopt;
    return read<Row>(0, columns<Row>());
}

template <class Row>
std::vector<Row> result::as_vector() const
{
    std::vector<Row> rows;
    if (empty())
        return rows;
    auto found = columns<Row>();
    rows.reserve(size());
    for (std::size_t row = 0; row < size(); ++row)
        rows.push_back(read<Row>(row, found));
    return rows;
}

} // namespace db
