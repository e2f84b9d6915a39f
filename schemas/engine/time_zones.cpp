#include "schemas/engine/time_zones.hpp"

#include <algorithm>
#include <fstream>
#include <istream>
#include <sstream>
#include <stdexcept>

namespace schemas {

namespace {

constexpr const char* tzdata_path = "/usr/share/zoneinfo/tzdata.zi";

std::vector<std::string> read_system_time_zones()
{
    std::ifstream tzdata(tzdata_path);
    auto names = read_time_zones(tzdata);
    if (names.empty())
        throw std::runtime_error("no time zones in " + std::string(tzdata_path) +
                                 ": install the package tzdata");
    return names;
}

const std::vector<std::string>& time_zones()
{
    static const auto names = read_system_time_zones();
    return names;
}

} // namespace

std::vector<std::string> read_time_zones(std::istream& tzdata)
{
    std::vector<std::string> names;
    for (std::string line; std::getline(tzdata, line);) {
        // "Z name offset ..." is a zone, "L target name" an alias.
        std::istringstream fields(line);
        std::string keyword, first, second;
        fields >> keyword >> first >> second;
        auto& name = keyword == "L" ? second : first;
        if ((keyword == "Z" || keyword == "L") && !name.empty() && name != "Factory")
            names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

void load_time_zones()
{
    time_zones();
}

bool is_time_zone(std::string_view name)
{
    return std::binary_search(time_zones().begin(), time_zones().end(), name, std::less<>());
}

} // namespace schemas
