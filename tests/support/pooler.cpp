#include "tests/support/pooler.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/reserved_port.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace support {

namespace {

/** One value of a connection string. */
std::string value_in(const std::string& conninfo, const std::string& keyword)
{
    char* wrong = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(
        PQconninfoParse(conninfo.c_str(), &wrong), &PQconninfoFree);
    for (auto one = all.get(); one && one->keyword; ++one)
        if (one->keyword == keyword && one->val)
            return one->val;
    return {};
}

} // namespace

pooler::pooler(const std::string& conninfo) : port_(reserve_port())
{
    auto folder = folder_.path();
    std::ofstream(folder + "/users") << "\"" << value_in(conninfo, "user") << "\" \"\"\n";
    std::ofstream(folder + "/ini")
        << "[databases]\nlatchkey = host=" << value_in(conninfo, "host")
        << " port=" << value_in(conninfo, "port") << " dbname=" << value_in(conninfo, "dbname")
        << " user=" << value_in(conninfo, "user")
        << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
        << "\nunix_socket_dir =\nauth_type = trust\nauth_file = " << folder
        << "/users\npool_mode = transaction\ndefault_pool_size = 2\nmin_pool_size = 2\n"
           "max_client_conn = 200\nserver_reset_query =\n";
    std::vector<std::string> command{"/usr/sbin/pgbouncer", "-q", folder + "/ini"};
    if (geteuid() ==
        0) { // pgbouncer refuses to run as root; the user postgres can access the socket of the cluster
        for (auto& path : {folder, folder + "/ini", folder + "/users"})
            if (chmod(path.c_str(), 0755) != 0)
                throw std::runtime_error("the pooler's folder cannot be opened");
        command.insert(command.begin(),
                       {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"});
    }
    process_.emplace(std::move(command), environment(), STDERR_FILENO);
    auto is_up = [&] {
        try {
            sql_connection trial(this->conninfo());
            return trial.run("SELECT 1") == "1";
        } catch (const std::exception&) {
            return false;
        }
    };
    if (!eventually(is_up))
        throw std::runtime_error("the pooler does not start: " + process_->output());
}

std::string pooler::conninfo() const
{
    return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=latchkey user=latchkey";
}

} // namespace support
