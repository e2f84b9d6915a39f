#include "db/postgres/connection.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/host_list.hpp"
#include "db/postgres/result.hpp"
#include "db/postgres/row_security.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace db {

namespace {

keywords complete(const connection::config& settings)
{
    auto all = parse_conninfo(settings.conninfo);
    all.try_emplace("fallback_application_name", "latchkey");

    // Kerberos would call its own resolver and servers, and wait for them. This is for GSS encryption only: a
    // server that demands GSS authentication still makes libpq 15 do that, since it cannot refuse a method.
    if (!std::getenv("PGGSSENCMODE"))
        all.try_emplace("gssencmode", "disable");

    // A standby lags behind: lookups there would contradict acknowledged changes.
    all["target_session_attrs"] = settings.only_host ? "any" : "read-write";

    // Poolers reject `options`. On the server a later setting overrides an earlier one: the user's come last.
    if (settings.prepare) {
        auto milliseconds = std::to_string(settings.statement_timeout.count());
        auto inherited = std::getenv("PGOPTIONS");
        auto& options = all.try_emplace("options", inherited ? inherited : "").first->second;
        // Generic plans: planning a lookup by key costs more than the lookup, and no statement here has a
        // better plan for particular values.
        options = "-c statement_timeout=" + milliseconds +
                  " -c idle_in_transaction_session_timeout=" + milliseconds +
                  " -c plan_cache_mode=force_generic_plan " +
                  (settings.prefer_index_scans
                       ? "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
                       : "") +
                  options;
    }
    return all;
}

/// Of the time of an attempt. After it, the last known addresses are used.
constexpr std::chrono::milliseconds resolve_limit{1000};

/// Without a receiver libpq prints notices to standard error.
void ignore_notice(void*, const PGresult*) {}

} // namespace

connection::~connection()
{
    release_socket(); // before pg_ closes it
}

void connection::assign_socket()
{
    auto fd = PQsocket(get());
    if (fd < 0)
        throw failure_of(get());
    socket_.assign(fd);
}

void connection::release_socket()
{
    if (socket_.is_open())
        socket_.release();
}

void connection::cancel()
{
    cancelled_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void connection::check_cancelled() const
{
    if (cancelled_)
        throw boost::system::system_error(boost::asio::error::operation_aborted);
}

awaitable<void> connection::wait(descriptor::wait_type readiness)
{
    check_cancelled();
    co_await socket_.async_wait(readiness, use_awaitable);
}

awaitable<void> connection::open(config settings)
{
    auto all = complete(settings);
    auto hosts = read_hosts(all);
    if (settings.only_host)
        hosts = {hosts.at(*settings.only_host)};
    hosts = co_await resolve_hosts(settings.names, std::move(hosts), resolve_limit);
    check_cancelled();
    // A host that accepts but never answers uses up the whole attempt, so the next attempt starts at another.
    std::ranges::rotate(hosts, hosts.begin() + static_cast<std::ptrdiff_t>(settings.attempt % hosts.size()));
    write_hosts(all, hosts);

    std::vector<const char*> names, values;
    for (const auto& [name, value] : all) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    pg_.reset(PQconnectStartParams(names.data(), values.data(), 0));
    if (!pg_)
        throw failure(failure_kind::unavailable, "out of memory");
    PQsetNoticeReceiver(get(), ignore_notice, nullptr);
    co_await poll_connect();
    if (PQsetnonblocking(get(), 1) != 0 || PQenterPipelineMode(get()) != 1)
        throw failure_of(get());
    if (settings.only_host)
        co_await identify();
    else
        co_await run_checks(settings.check_statements);
}

// PQconnectPoll may close the socket and open another, even one with the same descriptor (the next host, a
// retry without TLS), so Asio releases it before each poll and assigns the current one afterwards.
awaitable<void> connection::poll_connect()
{
    if (PQstatus(get()) == CONNECTION_BAD)
        throw failure_of(get());
    auto next = PGRES_POLLING_WRITING;
    for (;;) {
        assign_socket();
        co_await wait(next == PGRES_POLLING_READING ? descriptor::wait_read : descriptor::wait_write);
        release_socket();
        next = PQconnectPoll(get());
        if (next == PGRES_POLLING_FAILED)
            throw failure_of(get());
        if (next == PGRES_POLLING_OK)
            break;
    }
    assign_socket();
}

// Writes everything before it reads anything: the responses are a few bytes each, so they cannot fill the
// socket buffers and stop PostgreSQL from reading on.
awaitable<void> connection::run_checks(bool check_statements)
{
    auto statements = send_checks(check_statements);
    co_await flush_all();
    co_await read_answers(statements);
    if (!is_primary_)
        throw failure(failure_kind::unavailable, "the server is read-only: not a primary");
}

awaitable<void> connection::identify()
{
    if (!send_check(identify_server) || !PQpipelineSync(get()))
        throw failure_of(get());
    co_await flush_all();
    std::vector<const statement*> sent{&identify_server};
    co_await read_answers(sent);
}

/// Read the responses up to the Sync; each statement's end with a NULL.
awaitable<void> connection::read_answers(const std::vector<const statement*>& statements)
{
    std::size_t answered = 0;
    for (;;) {
        while (PQisBusy(get())) {
            co_await wait(descriptor::wait_read);
            if (!PQconsumeInput(get()))
                throw failure_of(get());
        }
        result answer(PQgetResult(get()));
        if (!answer) {
            if (PQstatus(get()) == CONNECTION_BAD)
                throw failure_of(get());
            ++answered;
        } else if (PQresultStatus(answer.get()) == PGRES_PIPELINE_SYNC) {
            co_return;
        } else if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR) {
            auto name = answered < statements.size() ? statements[answered]->name() : "?";
            throw failure_of_statement(name, answer.get());
        } else if (PQresultStatus(answer.get()) == PGRES_TUPLES_OK) {
            read_check(*statements[answered], answer.get());
        }
    }
}

void connection::read_check(const statement& check, const PGresult* answer)
{
    auto text = [&](int column) { return std::string(PQgetvalue(answer, 0, column)); };
    if (&check == &check_row_security) {
        has_row_security_ = text(0) == "t";
        return;
    }
    is_primary_ = text(0) == "t";
    identity_.system = std::strtoull(text(1).c_str(), nullptr, 10);
    identity_.timeline = static_cast<std::uint32_t>(std::strtoul(text(2).c_str(), nullptr, 16));
}

/// Queue the checks. @return their statements, in order
std::vector<const statement*> connection::send_checks(bool check_statements)
{
    std::vector<const statement*> sent;
    for (auto each = check_statements ? statement::first() : nullptr; each; each = each->next()) {
        if (!PQsendPrepare(get(), "", each->sql(), 0, nullptr)) // unnamed: the next one replaces it
            throw failure_of(get());
        sent.push_back(each);
    }
    for (auto check : {&check_row_security, &identify_server}) {
        if (!send_check(*check))
            throw failure_of(get());
        sent.push_back(check);
    }
    if (!PQpipelineSync(get()))
        throw failure_of(get());
    return sent;
}

bool connection::send_check(const statement& check)
{
    constexpr int text = 0;
    return PQsendQueryParams(get(), check.sql(), 0, nullptr, nullptr, nullptr, nullptr, text) == 1;
}

awaitable<void> connection::flush_all()
{
    for (;;) {
        auto left = PQflush(get());
        if (left < 0)
            throw failure_of(get());
        if (left == 0)
            co_return;
        co_await wait(descriptor::wait_write);
    }
}

} // namespace db
