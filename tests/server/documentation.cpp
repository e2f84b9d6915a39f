// The table of settings in scripts/deploy/configuration.md, held against --help and the settings the server
// accepts.
#include "server/cli/help.hpp"
#include "server/config.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace {

std::set<std::string> settings_named_in(const std::string& text)
{
    static const std::regex name("LATCHKEY_[A-Z0-9_]*[A-Z0-9]");
    std::set<std::string> out;
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match)
        out.insert(match->str());
    return out;
}

/// The first column of the table of settings.
std::set<std::string> documented_settings()
{
    std::ifstream file(LATCHKEY_SOURCE_DIR "/scripts/deploy/configuration.md");
    std::set<std::string> out;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("| `LATCHKEY_"))
            continue;
        out.merge(settings_named_in(line.substr(0, line.find('|', 1))));
    }
    return out;
}

/// The setting as a flag: LATCHKEY_PUBLIC_URL is --public-url.
std::string flag_of(std::string variable)
{
    variable.erase(0, std::string_view("LATCHKEY_").size());
    std::ranges::transform(variable, variable.begin(),
                           [](char c) { return c == '_' ? '-' : static_cast<char>(c | 0x20); });
    return "--" + variable;
}

/// The settings that a text marks as secrets by an asterisk.
std::set<std::string> marked_settings(const std::string& text, const std::string& mark)
{
    const std::regex name("(LATCHKEY_[A-Z0-9_]*[A-Z0-9])`? " + mark);
    std::set<std::string> out;
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match)
        out.insert((*match)[1]);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(documentation)

BOOST_AUTO_TEST_CASE(configuration_table_lists_the_settings_of_help)
{
    auto documented = documented_settings();
    BOOST_TEST(documented.size() > 20u);
    BOOST_TEST(documented == settings_named_in(std::string(server::help_text)),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_documented_setting_but_secrets_is_a_flag)
{
    auto secrets = marked_settings(std::string(server::help_text), "\\*");
    BOOST_TEST(secrets.size() == 4u);
    std::ifstream file(LATCHKEY_SOURCE_DIR "/scripts/deploy/configuration.md");
    const std::string table{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST(marked_settings(table, R"(\\\*)") == secrets, boost::test_tools::per_element());
    for (auto& variable : documented_settings()) {
        auto flag = flag_of(variable), in_file = flag + "-file";
        std::string value = "x";
        std::array<char*, 2> direct{flag.data(), value.data()}, by_file{in_file.data(), value.data()};
        BOOST_TEST_CONTEXT(variable)
        {
            BOOST_TEST((server::read_flags(direct).index() == (secrets.contains(variable) ? 1u : 0u)));
            BOOST_TEST((server::read_flags(by_file).index() == (secrets.contains(variable) ? 0u : 1u)));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
