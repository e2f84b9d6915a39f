#include "schemas/engine/timestamp.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace schemas {

using namespace std::chrono;

namespace {

/// Consumes a text from the front. After the first mismatch, ok() is false.
class scanner {
public:
    explicit scanner(std::string_view text) : rest_(text) {}

    int digits(std::size_t count)
    {
        int number = 0;
        for (std::size_t i = 0; i < count; ++i)
            number = number * 10 + digit();
        return number;
    }

    char one_of(std::string_view allowed)
    {
        if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
            ok_ = false;
            return '\0';
        }
        return next();
    }

    bool has_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
    bool has(char c) const { return !rest_.empty() && rest_.front() == c; }
    int digit() { return one_of("0123456789") - '0'; }
    bool ok() const { return ok_; }
    bool is_at_end() const { return ok_ && rest_.empty(); }

private:
    char next()
    {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view rest_;
    bool ok_ = true;
};

microseconds take_fraction(scanner& in)
{
    if (!in.has('.'))
        return {};
    in.one_of(".");
    microseconds fraction{};
    microseconds unit{100000};
    do {
        fraction += in.digit() * unit;
        unit /= 10; // zero after six digits: the rest adds nothing
    } while (in.has_digit());
    return fraction;
}

void write_digits(char* to, unsigned number, int count)
{
    for (int i = count - 1; i >= 0; --i, number /= 10)
        to[i] = static_cast<char>('0' + number % 10);
}

constexpr timestamp earliest = sys_days{year{1} / January / 1};
constexpr timestamp latest = sys_days{year{9999} / December / 31} + days{1} - microseconds{1};

} // namespace

std::optional<timestamp> parse_timestamp(std::string_view text)
{
    scanner in{text};
    const int y = in.digits(4);
    in.one_of("-");
    const int mon = in.digits(2);
    in.one_of("-");
    const int d = in.digits(2);
    in.one_of("Tt");
    const int h = in.digits(2);
    in.one_of(":");
    const int min = in.digits(2);
    in.one_of(":");
    const int s = in.digits(2);
    if (!in.ok())
        return std::nullopt;
    const microseconds fraction = take_fraction(in);

    minutes offset{};
    const char zone = in.one_of("Zz+-");
    if (zone == '+' || zone == '-') {
        const int zone_hours = in.digits(2);
        in.one_of(":");
        const int zone_minutes = in.digits(2);
        if (zone_hours > 23 || zone_minutes > 59)
            return std::nullopt;
        offset = (zone == '+' ? 1 : -1) * (hours{zone_hours} + minutes{zone_minutes});
    }

    const auto date = year{y} / month{static_cast<unsigned>(mon)} / day{static_cast<unsigned>(d)};
    if (!in.is_at_end() || !date.ok() || h > 23 || min > 59 || s > 60)
        return std::nullopt;
    const auto minute = sys_days{date} + hours{h} + minutes{min} - offset;
    if (s == 60 && minute - floor<days>(minute) != hours{23} + minutes{59})
        return std::nullopt;
    const timestamp out = minute + seconds{s} + fraction;
    if (out < earliest || out > latest)
        return std::nullopt;
    return out;
}

void append_timestamp(std::string& out, timestamp at)
{
    at = std::clamp(at, earliest, latest); // four digits of year is all the format has
    const auto today = floor<days>(at);
    const year_month_day date{today};
    const hh_mm_ss time{at - today};

    std::array<char, 27> buffer{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':',
                                '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', 'Z'};
    char* const to = buffer.data();
    write_digits(to, static_cast<unsigned>(int{date.year()}), 4);
    write_digits(to + 5, unsigned{date.month()}, 2);
    write_digits(to + 8, unsigned{date.day()}, 2);
    write_digits(to + 11, static_cast<unsigned>(time.hours().count()), 2);
    write_digits(to + 14, static_cast<unsigned>(time.minutes().count()), 2);
    write_digits(to + 17, static_cast<unsigned>(time.seconds().count()), 2);
    write_digits(to + 20, static_cast<unsigned>(time.subseconds().count()), 6);
    out.append(to, buffer.size());
}

} // namespace schemas
