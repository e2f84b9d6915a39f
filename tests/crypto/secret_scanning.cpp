// The rules for secret scanners, tested with generated keys.
#include "crypto/api_key.hpp"
#include "tests/support/child_process.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

const std::string folder = LATCHKEY_SOURCE_DIR "/scripts/secret-scanning/";

std::string classify(std::vector<std::string> texts)
{
    texts.insert(texts.begin(), folder + "verify-key");
    support::child_process tool(std::move(texts), {}, STDOUT_FILENO);
    BOOST_REQUIRE(tool.wait(std::chrono::seconds(20)).has_value());
    return tool.output();
}

/// The pattern of the rule, without the word boundaries.
std::regex pattern_of_rule()
{
    std::ifstream file(folder + "gitleaks.toml");
    std::string text(std::istreambuf_iterator<char>(file), {});
    std::smatch found;
    BOOST_REQUIRE(std::regex_search(text, found, std::regex(R"(regex = '''\\b\((.*)\)\\b''')")));
    return std::regex(found[1].str());
}

} // namespace

BOOST_AUTO_TEST_SUITE(secret_scanning)

BOOST_AUTO_TEST_CASE(generated_keys_match_and_verify)
{
    auto rule = pattern_of_rule();
    std::vector<std::string> keys;
    std::string wanted;
    for (int i = 0; i < 50; ++i) {
        auto made = crypto::make_api_key();
        BOOST_TEST(std::regex_match(made.text, rule), made.text);
        wanted += "genuine: " + made.prefix + "\n";
        keys.push_back(made.text);
    }
    BOOST_TEST(classify(keys) == wanted);
}

BOOST_AUTO_TEST_CASE(other_texts_are_not_keys)
{
    auto key = crypto::make_api_key().text;
    std::vector<std::string> others{key.substr(1), key + "0", "tnx_", "nothing"};
    for (std::size_t at : {std::size_t{5}, std::size_t{20}, key.size() - 1}) {
        auto changed = key;
        changed[at] = changed[at] == 'a' ? 'b' : 'a';
        BOOST_TEST(!crypto::parse_api_key(changed));
        others.push_back(changed);
    }
    std::string wanted;
    for (std::size_t i = 0; i < others.size(); ++i)
        wanted += "no key\n";
    BOOST_TEST(classify(others) == wanted);
}

BOOST_AUTO_TEST_SUITE_END()
