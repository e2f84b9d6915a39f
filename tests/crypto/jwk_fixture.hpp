// Keys and JWK sets shared by the tests of ID tokens and of JWK sets.
#pragma once

#include "crypto/encoding.hpp"
#include "crypto/jwk_set.hpp"
#include "tests/support/rsa.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace test {

inline const support::rsa_key& first_key()
{
    static const support::rsa_key key;
    return key;
}

inline const support::rsa_key& second_key()
{
    static const support::rsa_key key;
    return key;
}

inline std::string set_of(std::initializer_list<boost::json::value> keys)
{
    boost::json::array list;
    for (auto& each : keys)
        list.push_back(each);
    return R"({"keys":)" + boost::json::serialize(list) + "}";
}

inline std::string part(std::string_view text)
{
    return crypto::to_base64url(crypto::bytes_of(text));
}

inline boost::json::value as_value(std::string_view characters)
{
    return boost::json::value(characters);
}

} // namespace test
