#include "db/postgres/multiplexer.hpp"

#include <utility>

namespace db {

static std::unique_ptr<request> failed(std::unique_ptr<request> what, const failure& why)
{
    if (!what->error) // the first error is the reason, all others follow from it
        what->error = why;
    return what;
}

void multiplexer::add(std::unique_ptr<request> what, time_point expires)
{
    auto statements = what->work.size();
    queue_.push_back({std::move(what), statements, 0, expires});
}

request* multiplexer::next_to_send()
{
    return sent_ < queue_.size() ? queue_[sent_].who.get() : nullptr;
}

void multiplexer::mark_sent(time_point expires, std::size_t in_front)
{
    auto& next = queue_[sent_++];
    next.expires = expires;
    next.unanswered += in_front;
    next.in_front = in_front;
    next.who->work = batch(); // libpq has its own copy
}

std::unique_ptr<request> multiplexer::take(result answer)
{
    static const failure out_of_step(failure_kind::unavailable, "an answer came that no request explains");
    if (sent_ == 0)
        throw out_of_step;
    auto& place = queue_.front();

    if (!answer) { // ends the answers of one statement
        if (place.unanswered == 0)
            throw out_of_step;
        --place.unanswered;
        if (place.in_front > 0)
            --place.in_front;
        return nullptr;
    }

    switch (PQresultStatus(answer.get())) {
    case PGRES_PIPELINE_SYNC: { // ends the batch
        if (place.unanswered != 0)
            throw out_of_step;
        auto done = std::move(place.who);
        queue_.pop_front();
        --sent_;
        return done;
    }
    case PGRES_PIPELINE_ABORTED: // skipped because of an error that came before
        return nullptr;
    case PGRES_FATAL_ERROR:
        if (place.who && !place.who->error)
            place.who->error = failure_of(answer.get());
        return nullptr;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (place.who && place.in_front == 0)
            place.who->answers.add(std::move(answer));
        return nullptr;
    default: // COPY and its kin
        throw out_of_step;
    }
}

multiplexer::finished multiplexer::expire(time_point now, const failure& unsent)
{
    static const failure late(failure_kind::unavailable, "deadline: the database did not answer in time");
    finished done;
    for (std::size_t at = 0; at < sent_ && queue_[at].expires <= now; ++at)
        if (queue_[at].who)
            done.push_back(failed(std::move(queue_[at].who), late));
    auto waiting = queue_.begin() + static_cast<std::ptrdiff_t>(sent_);
    auto in_time = waiting;
    for (; in_time != queue_.end() && in_time->expires <= now; ++in_time)
        done.push_back(failed(std::move(in_time->who), unsent));
    queue_.erase(waiting, in_time);
    return done;
}

multiplexer::finished multiplexer::lose(const failure& why)
{
    finished done;
    for (; sent_ > 0; --sent_) {
        if (queue_.front().who)
            done.push_back(failed(std::move(queue_.front().who), why));
        queue_.pop_front();
    }
    return done;
}

multiplexer::finished multiplexer::refuse(const failure& why)
{
    finished done;
    for (auto at = sent_; at < queue_.size(); ++at)
        done.push_back(failed(std::move(queue_[at].who), why));
    queue_.resize(sent_);
    return done;
}

} // namespace db
