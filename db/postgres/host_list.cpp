#include "db/postgres/host_list.hpp"

#include "db/postgres/error.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

namespace db {

namespace {

/// A parameter, or the environment variable that libpq reads instead.
std::string value_of(const keywords& settings, const std::string& name, const char* variable)
{
    if (auto found = settings.find(name); found != settings.end())
        return found->second;
    auto inherited = std::getenv(variable);
    return inherited ? inherited : "";
}

/// A comma-separated list. An empty text has one empty element, as in libpq.
std::vector<std::string> split(const std::string& list)
{
    std::vector<std::string> out(1);
    for (char c : list)
        c == ',' ? out.push_back({}) : out.back().push_back(c);
    return out;
}

/// The elements of a list with one for each host. A list that is absent, or one port for all hosts, is
/// repeated.
std::vector<std::string> spread(const std::string& list, std::size_t hosts, std::string_view name)
{
    auto out = split(list);
    if (out.size() == 1 && (list.empty() || name == "port"))
        out.resize(hosts, out.front());
    if (out.size() != hosts)
        throw failure(failure_kind::unavailable, "invalid connection string: " + std::string(name) + " has " +
                                                     std::to_string(out.size()) + " values for " +
                                                     std::to_string(hosts) + " hosts");
    return out;
}

} // namespace

keywords parse_conninfo(const std::string& conninfo)
{
    char* error = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), &error), PQconninfoFree);
    std::unique_ptr<char, decltype(&PQfreemem)> message(error, PQfreemem);
    if (!options)
        throw failure(failure_kind::unavailable,
                      "invalid connection string: " + std::string(message ? message.get() : "out of memory"));
    keywords found;
    for (auto option = options.get(); option->keyword; ++option)
        if (option->val)
            found[option->keyword] = option->val;
    return found;
}

bool host_entry::is_name() const
{
    return address.empty() && !host.empty() && host.front() != '/' && host.front() != '@';
}

std::vector<host_entry> read_hosts(const keywords& settings)
{
    if (!value_of(settings, "service", "PGSERVICE").empty())
        throw failure(failure_kind::unavailable,
                      "invalid connection string: connection services are not supported; name the hosts");
    auto host = value_of(settings, "host", "PGHOST"), address = value_of(settings, "hostaddr", "PGHOSTADDR");
    auto count = split(address.empty() ? host : address).size();
    auto hosts = spread(host, count, "host"), addresses = spread(address, count, "hostaddr");
    auto ports = spread(value_of(settings, "port", "PGPORT"), count, "port");
    std::vector<host_entry> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({hosts[i], addresses[i], ports[i]});
    return out;
}

void write_hosts(keywords& settings, const std::vector<host_entry>& hosts)
{
    auto write = [&](const char* name, std::string host_entry::* part) {
        std::string list;
        for (auto& each : hosts)
            list.append(&each == &hosts.front() ? "" : ",").append(each.*part);
        // An empty value would be replaced by the default, which is the environment variable.
        if (list.find_first_not_of(',') == list.npos)
            settings.erase(name);
        else
            settings[name] = list;
    };
    write("host", &host_entry::host);
    write("hostaddr", &host_entry::address);
    write("port", &host_entry::port);
}

awaitable<std::vector<host_entry>> resolve_hosts(const dns_resolver& names, std::vector<host_entry> hosts,
                                                 std::chrono::milliseconds limit)
{
    std::vector<std::string> unresolved;
    for (auto& each : hosts)
        if (each.is_name())
            unresolved.push_back(each.host);
    if (unresolved.empty())
        co_return hosts;
    auto answers = co_await names.resolve_all(unresolved, limit);

    std::vector<host_entry> out;
    std::string errors;
    auto answer = answers.begin();
    for (auto& each : hosts) {
        if (!each.is_name()) {
            out.push_back(each);
            continue;
        }
        for (auto& address : answer->found)
            out.push_back({each.host, address.to_string(), each.port});
        if (answer->found.empty())
            errors.append(errors.empty() ? "" : "; ").append(each.host).append(": ").append(answer->error);
        ++answer;
    }
    if (out.empty())
        throw failure(failure_kind::unavailable, errors);
    co_return out;
}

} // namespace db
