// A request made by a coroutine that is suspended in pipeline::run.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/multiplexer.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <concepts>
#include <exception>
#include <utility>

namespace db {

template <class Answer>
using completion_handler = typename boost::asio::async_result<boost::asio::use_awaitable_t<executor>,
                                                              void(std::exception_ptr, Answer)>::handler_type;

/// Completes with `Answer`: results, or the one result. Destroying it unfinished destroys the coroutine too.
template <class Answer>
class suspended_request final : public request {
public:
    suspended_request(batch work, completion_handler<Answer> caller)
        : request(std::move(work)), caller_(std::move(caller))
    {}

    // Posted, not called: the coroutine may then use, or destroy, the very pipeline that completes it.
    void finish() override
    {
        auto where = boost::asio::get_associated_executor(caller_);
        auto cause = error ? std::make_exception_ptr(*error) : std::exception_ptr();
        boost::asio::post(where, [caller = std::move(caller_), cause, answer = take_answer()]() mutable {
            caller(cause, std::move(answer));
        });
    }

private:
    Answer take_answer()
    {
        if constexpr (std::same_as<Answer, results>)
            return std::move(answers);
        else
            return error ? result() : std::move(answers[0]);
    }

    completion_handler<Answer> caller_;
};

} // namespace db
