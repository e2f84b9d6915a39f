#include "db/postgres/multiplexer.hpp"

#include "db/postgres/sqlstate.hpp"

#include <utility>

namespace db {

static const failure desync(failure_kind::unavailable, "protocol desync: an answer that matches no request");

static std::unique_ptr<request> failed(std::unique_ptr<request> ended, const failure& why)
{
    if (!ended->error) // the first error is the cause of all others
        ended->error = why;
    return ended;
}

void multiplexer::add(std::unique_ptr<request> added, time_point expires)
{
    auto statements = added->work.size();
    queue_.push_back({std::move(added), statements, expires});
}

request* multiplexer::next_to_send()
{
    return sent_ < queue_.size() ? queue_[sent_].owner.get() : nullptr;
}

void multiplexer::mark_sent(time_point expires, preamble ahead)
{
    auto& next = queue_[sent_++];
    next.expires = expires;
    next.unanswered += ahead.prologue ? 1 : 0;
    next.ahead = ahead;
}

void multiplexer::take_parse(slot& of, const PGresult* answer, prepared_statements& prepared)
{
    if (!answer) { // ends the answer to the Parse
        if (!of.parse_answered)
            throw desync;
        return;
    }
    switch (PQresultStatus(answer)) {
    case PGRES_COMMAND_OK:
    case PGRES_FATAL_ERROR:
        if (!std::exchange(of.parse_answered, true))
            prepared.take(answer);
        else if (of.owner && !of.owner->error) // of the Sync: the server ends the connection
            of.owner->error = failure_of(answer);
        break;
    case PGRES_PIPELINE_SYNC:
        if (!std::exchange(of.parse_answered, false))
            throw desync;
        --of.ahead.parses;
        break;
    default:
        throw desync;
    }
}

/// The error of a statement. Where it does not exist on the connection, the cause is why it was not prepared.
failure multiplexer::error_of(const slot& of, const PGresult* answer, const prepared_statements& prepared)
{
    auto why = failure_of(answer);
    if (why.sqlstate() != sqlstate::invalid_sql_statement_name || of.unanswered == 0)
        return why;
    auto& commands = of.owner->work.commands();
    auto missing = of.ahead.prologue ? of.ahead.prologue : commands[commands.size() - of.unanswered].stmt;
    auto refused = prepared.refusal(*missing);
    return refused ? *refused : why;
}

std::unique_ptr<request> multiplexer::take(result answer, prepared_statements& prepared)
{
    if (sent_ == 0)
        throw desync;
    auto& slot = queue_.front();

    if (slot.ahead.parses > 0) {
        take_parse(slot, answer.get(), prepared);
        return nullptr;
    }

    if (!answer) { // ends the answers of one statement
        if (std::exchange(slot.commit_failed, false))
            return nullptr;
        if (slot.unanswered == 0)
            throw desync;
        --slot.unanswered;
        slot.ahead.prologue = nullptr;
        return nullptr;
    }

    switch (PQresultStatus(answer.get())) {
    case PGRES_PIPELINE_SYNC: { // ends the batch
        if (slot.unanswered != 0)
            throw desync;
        auto done = std::move(slot.owner);
        queue_.pop_front();
        --sent_;
        return done;
    }
    case PGRES_PIPELINE_ABORTED: // skipped after an earlier error
        return nullptr;
    case PGRES_FATAL_ERROR:
        slot.commit_failed = slot.unanswered == 0;
        if (slot.owner && !slot.owner->error)
            slot.owner->error = error_of(slot, answer.get(), prepared);
        return nullptr;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (slot.owner && !slot.ahead.prologue)
            slot.owner->answers.add(std::move(answer));
        return nullptr;
    default: // COPY
        throw desync;
    }
}

multiplexer::finished multiplexer::expire(time_point now, const failure& unsent)
{
    static const failure late(failure_kind::unavailable, "deadline: the database did not answer in time");
    finished done;
    for (std::size_t at = 0; at < sent_ && queue_[at].expires <= now; ++at)
        if (queue_[at].owner)
            done.push_back(failed(std::move(queue_[at].owner), late));
    auto waiting = queue_.begin() + static_cast<std::ptrdiff_t>(sent_);
    auto in_time = waiting;
    for (; in_time != queue_.end() && in_time->expires <= now; ++in_time)
        done.push_back(failed(std::move(in_time->owner), unsent));
    queue_.erase(waiting, in_time);
    return done;
}

multiplexer::finished multiplexer::fail_sent(const failure& why)
{
    finished done;
    for (; sent_ > 0; --sent_) {
        if (queue_.front().owner)
            done.push_back(failed(std::move(queue_.front().owner), why));
        queue_.pop_front();
    }
    return done;
}

multiplexer::finished multiplexer::fail_unsent(const failure& why)
{
    finished done;
    for (auto at = sent_; at < queue_.size(); ++at)
        done.push_back(failed(std::move(queue_[at].owner), why));
    queue_.resize(sent_);
    return done;
}

} // namespace db
