#include "crypto/jwk_set.hpp"

#include "tests/crypto/jwk_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <utility>

namespace json = boost::json;
using support::rsa_key;
using namespace test;

namespace {

/// Whether a set of this key alone is accepted.
bool accepts(const json::value& jwk)
{
    return crypto::jwk_set::parse(set_of({jwk})).has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(jwk_set)

BOOST_AUTO_TEST_CASE(malformed_sets_are_rejected)
{
    for (std::string_view text :
         {"", "null", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}", "{\"keys\":[1]}",
          "{\"keys\":[null]}", "{\"keys\":[{}]}", "{\"keys\":[", "<html></html>", "\xff"})
        BOOST_TEST(!crypto::jwk_set::parse(text), text);
    auto good = set_of({first_key().jwk("one")});
    for (std::size_t size = 0; size < good.size(); ++size)
        BOOST_TEST(!crypto::jwk_set::parse(good.substr(0, size)), size << " characters");
    BOOST_TEST(!crypto::jwk_set::parse(good + "}"));
    json::array many(65, json::value(first_key().jwk("one")));
    BOOST_TEST(!crypto::jwk_set::parse(R"({"keys":)" + json::serialize(many) + "}"));
    BOOST_TEST(!crypto::jwk_set::parse(std::string(100'000, '[')));
}

BOOST_AUTO_TEST_CASE(only_rsa_signature_keys_of_acceptable_size_are_accepted)
{
    auto with = [](std::string_view name, json::value value) {
        auto out = first_key().jwk("one");
        out[name] = std::move(value);
        return out;
    };
    auto without = [](std::string_view name) {
        auto out = first_key().jwk("one");
        out.erase(name);
        return out;
    };
    BOOST_TEST(accepts(first_key().jwk("one")));
    for (auto optional : {"use", "alg", "kid"})
        BOOST_TEST(accepts(without(optional)), optional);
    for (auto needed : {"kty", "n", "e"})
        BOOST_TEST(!accepts(without(needed)), needed);
    BOOST_TEST(accepts(with("key_ops", json::array{"verify"})));
    const std::pair<const char*, json::value> bad[] = {
        {"kty", "EC"},    {"kty", "rsa"},
        {"use", "enc"},   {"use", nullptr},
        {"alg", "RS512"}, {"alg", "HS256"},
        {"alg", "PS256"}, {"key_ops", json::array{"sign"}},
        {"key_ops", {}},  {"kid", 1},
        {"n", ""},        {"n", 5},
        {"n", "AQAB"},    {"n", as_value(first_key().number("n") + "=")},
        {"n", "+/+/"},    {"n", as_value(std::string(200'000, 'A'))},
        {"e", ""},        {"e", "AQ"},
        {"e", "Ag"},      {"e", "AQAA"},
        {"e", "AQAAAAE"}, {"e", as_value(first_key().number("n"))},
        {"e", nullptr},   {"d", as_value(first_key().number("d"))},
    };
    for (auto& [name, value] : bad)
        BOOST_TEST(!accepts(with(name, value)), name << " " << json::serialize(value).substr(0, 60));
    BOOST_TEST(accepts(with("e", "Aw"))); // 3
    BOOST_TEST(accepts(with("n", as_value("AAAA" + first_key().number("n")))));
    std::string even(256, '\xff'), huge(1025, '\xff');
    even.back() = '\xfe';
    BOOST_TEST(!accepts(with("n", as_value(part(even)))));
    BOOST_TEST(!accepts(with("n", as_value(part(huge)))));
    BOOST_TEST(!accepts(rsa_key(1024).jwk("small")));
}

BOOST_AUTO_TEST_SUITE_END()
