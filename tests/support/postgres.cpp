#include "tests/support/postgres.hpp"

#include "tests/support/key_principals.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace support {

static const std::string postgres_script = LATCHKEY_SOURCE_DIR "/scripts/postgres";

static std::string output_of(const std::string& command)
{
    auto pipe = popen(command.c_str(), "r");
    if (!pipe)
        throw std::runtime_error("cannot run " + command);
    std::string output;
    std::array<char, 512> part;
    while (auto size = fread(part.data(), 1, part.size(), pipe))
        output.append(part.data(), size);
    if (pclose(pipe) != 0)
        throw std::runtime_error("failed: " + command);
    while (!output.empty() && output.back() == '\n')
        output.pop_back();
    return output;
}

/// An exclusive lock among processes, held as long as the object lives.
class file_lock {
public:
    explicit file_lock(const std::string& path)
        : file_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600))
    {
        if (file_ < 0 || flock(file_, LOCK_EX) != 0)
            throw std::runtime_error("cannot lock " + path);
    }
    ~file_lock() { close(file_); }
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;

private:
    int file_;
};

/// The folder for clusters: in memory, where there is room. Every test creates a database of some 300 files,
/// which costs a file system on a disk more than the test itself.
static std::filesystem::path parent_folder()
{
    const std::filesystem::path memory = "/dev/shm";
    constexpr std::uintmax_t enough = std::uintmax_t(4) << 30;
    std::error_code absent;
    auto space = std::filesystem::space(memory, absent);
    return !absent && space.available >= enough ? memory : std::filesystem::temp_directory_path();
}

postgres_cluster::postgres_cluster() : folder_(parent_folder())
{
    start();
}

postgres_cluster::postgres_cluster(const prepared_cluster& original)
    : folder_(parent_folder()), template_made_(true)
{
    start("--from " + original.folder());
}

postgres_cluster::postgres_cluster(const std::string& primary_folder) : folder_(parent_folder())
{
    url_ = run("standby " + folder_.path() + " " + primary_folder + " --while " + std::to_string(getpid()));
}

std::unique_ptr<postgres_cluster> postgres_cluster::standby_of(const postgres_cluster& primary)
{
    return std::unique_ptr<postgres_cluster>(new postgres_cluster(primary.folder_.path()));
}

void postgres_cluster::promote()
{
    run("promote " + folder_.path());
}

void postgres_cluster::demote(const postgres_cluster& primary)
{
    run("demote " + folder_.path() + " " + primary.folder_.path());
}

void postgres_cluster::rebuild(const postgres_cluster& primary)
{
    run("rebuild " + folder_.path() + " " + primary.folder_.path());
}

std::string postgres_cluster::host() const
{
    auto begin = url_.find("host=") + 5;
    return url_.substr(begin, url_.find('&', begin) - begin);
}

postgres_cluster::~postgres_cluster()
{
    try {
        run("stop " + folder_.path() + " immediate");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "could not stop %s: %s\n", folder_.path().c_str(), error.what());
    }
}

std::string postgres_cluster::run(const std::string& command) const
{
    return output_of(postgres_script + (' ' + command));
}

void postgres_cluster::start(const std::string& options)
{
    // One watchdog per cluster, with the first start.
    auto watcher = url_.empty() ? " --while " + std::to_string(getpid()) : "";
    url_ = run("start " + folder_.path() + " --throwaway " + options + watcher);
}

void postgres_cluster::stop()
{
    run("stop " + folder_.path() + " fast");
}
void postgres_cluster::restart()
{
    run("restart " + folder_.path() + " fast");
}
void postgres_cluster::freeze()
{
    run("freeze " + folder_.path());
}
void postgres_cluster::thaw()
{
    run("thaw " + folder_.path());
}
void postgres_cluster::kill()
{
    run("kill " + folder_.path());
}

std::string postgres_cluster::last_log_lines() const
{
    return output_of("tail -n 30 " + folder_.path() + "/log");
}

std::string postgres_cluster::conninfo(const std::string& database) const
{
    static const std::string given = "/latchkey?";
    auto url = url_;
    return url.replace(url.find(given), given.size(), "/" + database + "?");
}

void postgres_cluster::make_template(const std::function<void(const std::string& conninfo)>& prepare)
{
    sql(conninfo(), "CREATE DATABASE migrated");
    prepare(conninfo("migrated"));
    template_made_ = true;
}

std::string postgres_cluster::create_database(const std::function<void(const std::string& conninfo)>& prepare)
{
    if (!template_made_)
        make_template(prepare);
    auto name = "test_" + std::to_string(++databases_);
    sql(conninfo(), "CREATE DATABASE " + name + " TEMPLATE migrated STRATEGY file_copy");
    return name;
}

/// Every test of a statement thereby verifies what it leaves in api_key_principals.
static void check_key_principals(const std::string& conninfo)
{
    std::string different;
    try {
        if (sql(conninfo, "SELECT to_regclass('api_key_principals') IS NOT NULL") == "t")
            different = stale_key_principals(conninfo);
    } catch (const std::exception&) {
        return; // the test has stopped the cluster
    }
    BOOST_TEST(different == "");
}

void postgres_cluster::drop_database(const std::string& name)
{
    check_key_principals(conninfo(name));
    sql(conninfo(), "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
}

prepared_cluster::prepared_cluster(const std::function<void(const std::string& conninfo)>& prepare)
{
    namespace fs = std::filesystem;
    auto program = fs::read_symlink("/proc/self/exe");
    folder_ = program.string() + ".cluster";
    // The suites of a program run side by side: the first one makes it, the others wait.
    file_lock made_by_one(folder_ + ".lock");
    auto is_newer_than = [&](const fs::path& part) {
        return fs::last_write_time(folder_) > fs::last_write_time(part);
    };
    if (fs::exists(folder_) && is_newer_than(program) && is_newer_than(postgres_script))
        return;
    fs::remove_all(folder_);
    postgres_cluster cluster;
    cluster.make_template(prepare);
    cluster.stop();
    auto incomplete = folder_ + ".new";
    fs::remove_all(incomplete);
    fs::create_directory(incomplete);
    output_of("cp -a " + cluster.folder_.path() + "/data " + incomplete);
    fs::rename(incomplete, folder_);
}

sql_connection::sql_connection(const std::string& conninfo) : pg_(PQconnectdb(conninfo.c_str()), PQfinish)
{
    if (PQstatus(pg_.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(pg_.get()));
}

std::string sql_connection::run(const std::string& statements)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(pg_.get(), statements.c_str()), PQclear);
    auto status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(statements + ": " + PQerrorMessage(pg_.get()));
    return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

bool sql_connection::wait_for_notification(const std::string& text)
{
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < until) {
        pollfd readable{PQsocket(pg_.get()), POLLIN, 0};
        poll(&readable, 1, 100);
        PQconsumeInput(pg_.get());
        while (std::unique_ptr<PGnotify, decltype(&PQfreemem)> heard{PQnotifies(pg_.get()), PQfreemem})
            if (std::string_view(heard->extra).find(text) != std::string_view::npos)
                return true;
    }
    return false;
}

std::string sql(const std::string& conninfo, const std::string& statements)
{
    return sql_connection(conninfo).run(statements);
}

} // namespace support
