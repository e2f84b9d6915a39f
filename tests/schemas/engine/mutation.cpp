// Fuzzing: the parser handles any bytes, is deterministic, and never returns a partial value.
#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"
#include "tests/schemas/support.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <random>

using namespace schemas;
using namespace schemas::test;

namespace {

class mutator {
public:
    explicit mutator(std::uint32_t seed) : random_(seed) {}

    std::string mutate(std::string text)
    {
        for (std::size_t times = 1 + below(4); times > 0; --times)
            once(text);
        return text;
    }

    std::size_t below(std::size_t bound) { return random_() % bound; }

private:
    void once(std::string& text)
    {
        static constexpr std::string_view pieces[] = {"{",
                                                      "}",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      ":",
                                                      "\"",
                                                      "\\",
                                                      "\\u0000",
                                                      "\\ud83d",
                                                      "null",
                                                      "true",
                                                      "-1",
                                                      "1e9",
                                                      "\xFF",
                                                      "\xE2\x80\xA8",
                                                      "\x01",
                                                      "\"email\":",
                                                      "\"name\":\"x\",",
                                                      "{\"a\":{}}",
                                                      "99999999999999999999",
                                                      "\"\"",
                                                      " ",
                                                      "\"scopes\":[\"*\"],"};
        const std::size_t at = below(text.size() + 1);
        const std::size_t length = std::min(below(8), text.size() - at);
        switch (below(5)) {
        case 0:
            text.erase(at, length);
            break;
        case 1:
            text.insert(at, pieces[below(std::size(pieces))]);
            break;
        case 2:
            text.insert(at, text.substr(at, length));
            break;
        case 3:
            text.replace(at, length, pieces[below(std::size(pieces))]);
            break;
        default:
            if (at < text.size())
                text[at] = static_cast<char>(below(256));
        }
    }

    std::mt19937 random_;
};

struct tally {
    int ok = 0;
    int malformed = 0;
    int invalid = 0;
};

template <class T>
void check_outcome(std::string_view body, tally& seen)
{
    const auto result = parse_body<T>(body);
    boost::system::error_code error;
    boost::json::parse(body, error);
    switch (result.status) {
    case parse_status::ok:
        ++seen.ok;
        BOOST_TEST(result.value.has_value());
        BOOST_TEST(result.errors.empty());
        BOOST_TEST(!error);
        break;
    case parse_status::invalid:
        ++seen.invalid;
        BOOST_TEST(!result.value.has_value());
        BOOST_TEST(!result.errors.empty());
        BOOST_TEST(!error);
        break;
    case parse_status::malformed_json:
        ++seen.malformed;
        BOOST_TEST(!result.value.has_value());
        BOOST_TEST(result.errors.empty());
        break;
    }
    BOOST_TEST(json_document{to_json(result.errors)}.root() != nullptr);
}

const std::string seeds[] = {
    R"({"email":"ada@example.org","password":"correct horse"})",
    R"({"name":"ci","scopes":["content:read","*"],"expires_at":"2026-11-24T10:49:36Z","owner":"user"})",
    R"({"name":null,"title":"x","locale":"en","timezone":"UTC"})",
    R"({"grace_seconds":60})",
};

} // namespace

BOOST_AUTO_TEST_SUITE(mutation)

BOOST_AUTO_TEST_CASE(mutated_bodies_are_handled)
{
    mutator make{20261124};
    tally seen;
    for (int round = 0; round < 20000; ++round) {
        const auto body = make.mutate(seeds[make.below(std::size(seeds))]);
        check_outcome<signup>(body, seen);
        check_outcome<api_key_create>(body, seen);
        check_outcome<patch_me>(body, seen);
        check_outcome<api_key_rotate>(body, seen);
    }
    BOOST_TEST(seen.ok > 100); // or the damage was too great to show anything
    BOOST_TEST(seen.invalid > 1000);
    BOOST_TEST(seen.malformed > 1000);
}

BOOST_AUTO_TEST_CASE(random_bytes_are_handled)
{
    mutator make{7};
    tally seen;
    for (int round = 0; round < 20000; ++round) {
        std::string bytes(make.below(64), '\0');
        for (char& c : bytes)
            c = static_cast<char>(make.below(256));
        check_outcome<login>(bytes, seen);
        BOOST_TEST(!parse_body<login>(bytes).value.has_value());
        parse_timestamp(bytes);
        parse_uuid(bytes);
        const std::vector<std::pair<std::string, std::string>> query{{"limit", bytes}, {"status", bytes}};
        BOOST_TEST(parse_query<api_key_query>(query).value.has_value() == false);
    }
}

BOOST_AUTO_TEST_SUITE_END()
