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

} // namespace

BOOST_AUTO_TEST_SUITE(documentation)

BOOST_AUTO_TEST_CASE(configuration_table_lists_the_settings_of_help)
{
    auto documented = documented_settings();
    BOOST_TEST(documented.size() > 20u);
    BOOST_TEST(documented == settings_named_in(std::string(server::help_text)),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_documented_setting_is_a_flag)
{
    for (auto& variable : documented_settings()) {
        auto flag = flag_of(variable);
        std::string value = "x";
        std::array<char*, 2> arguments{flag.data(), value.data()};
        BOOST_TEST_CONTEXT(variable)
        {
            BOOST_TEST((server::read_flags(arguments).index() == 0u));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
