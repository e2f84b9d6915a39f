// Matching answers to requests, with no database at all.
#include "db/postgres/multiplexer.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <string>

BOOST_AUTO_TEST_SUITE(multiplexer)

using db::failure;
using db::failure_kind;
using namespace std::chrono_literals;

namespace {

const db::statement anything{"multiplexer_test_anything", "SELECT 1"};
const failure gone(failure_kind::unavailable, "gone");

struct recorded final : db::request {
    using request::request;
    void finish() override {}
};

/// A multiplexer with names for what goes in and comes out.
struct scene {
    db::multiplexer queue;
    db::multiplexer::time_point start{};
    std::vector<std::unique_ptr<db::request>> done;

    db::request* add(std::size_t statements, std::chrono::milliseconds expires = 1h)
    {
        db::batch work;
        for (std::size_t at = 0; at < statements; ++at)
            work.add(anything);
        auto made = std::make_unique<recorded>(std::move(work));
        auto name = made.get();
        queue.add(std::move(made), start + expires);
        return name;
    }

    db::request* send(std::chrono::milliseconds expires = 2h)
    {
        auto next = queue.next_to_send();
        queue.mark_sent(start + expires);
        return next;
    }

    db::request* sent(std::size_t statements, std::chrono::milliseconds expires = 2h)
    {
        add(statements);
        return send(expires);
    }

    /// Answers as libpq returns them: r rows, e error, a aborted, s sync, - the NULL that ends a statement.
    void take(std::string_view answers)
    {
        for (char answer : answers)
            if (auto finished = queue.take(fake(answer)))
                done.push_back(std::move(finished));
    }

    static db::result fake(char answer)
    {
        switch (answer) {
        case 'r':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
        case 'e':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_FATAL_ERROR));
        case 'a':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_PIPELINE_ABORTED));
        case 's':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_PIPELINE_SYNC));
        case 'c':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_COPY_OUT));
        default:
            return db::result();
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(answers_come_back_in_the_order_of_the_requests, scene)
{
    auto first = sent(1), second = sent(2);
    take("r-s");
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(done[0].get() == first);
    BOOST_TEST(first->answers.size() == 1u);
    take("r-r-s");
    BOOST_TEST(done[1].get() == second);
    BOOST_TEST(second->answers.size() == 2u);
    BOOST_TEST(!queue.expects_answer());
    BOOST_TEST(queue.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_request_is_done_only_with_its_sync, scene)
{
    sent(2);
    for (auto part : {"r", "-", "r", "-"}) {
        take(part);
        BOOST_TEST(done.empty());
        BOOST_TEST(queue.expects_answer());
    }
    take("s");
    BOOST_TEST(done.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_empty_batch_is_a_sync_alone, scene)
{
    sent(0);
    take("s");
    BOOST_TEST(done.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_error_stays_with_its_batch, scene)
{
    auto before = sent(1), failing = sent(3), after = sent(1);
    take("r-s"
         "r-e-a-s"
         "r-s");
    BOOST_TEST(done.size() == 3u);
    BOOST_TEST(!before->error);
    BOOST_TEST(failing->error.has_value());
    BOOST_TEST(failing->answers.size() == 1u);
    BOOST_TEST(!after->error);
    BOOST_TEST(after->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_is_sent_in_front_answers_nobody, scene)
{
    auto first = add(2), second = add(1);
    queue.mark_sent(start + 2h, 1);
    queue.mark_sent(start + 2h);
    take("r-r-r-s"
         "r-s");
    BOOST_TEST(done.size() == 2u);
    BOOST_TEST(first->answers.size() == 2u);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(but_its_error_is_the_error_of_all, scene)
{
    auto failing = add(2), after = add(0);
    queue.mark_sent(start + 2h, 1);
    queue.mark_sent(start + 2h, 1);
    take("e-a-a-s"
         "r-s");
    BOOST_TEST(done.size() == 2u);
    BOOST_TEST(failing->error.has_value());
    BOOST_TEST(failing->answers.size() == 0u);
    BOOST_TEST(!after->error);
    BOOST_TEST(after->answers.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_first_error_is_the_one_that_is_kept, scene)
{
    auto failing = sent(2);
    take("e");
    failing->error.emplace(failure_kind::statement, "first");
    take("-e-s");
    BOOST_TEST(failing->error->what() == "first");
}

BOOST_FIXTURE_TEST_CASE(a_late_sent_request_swallows_its_own_answers_only, scene)
{
    sent(2, 1s);
    auto second = sent(1, 5s);
    take("r-");
    auto late = queue.expire(start + 2s, gone);
    BOOST_TEST(late.size() == 1u);
    BOOST_TEST(late[0]->error->unavailable());
    BOOST_TEST(queue.size() == 2u); // its place is kept for the answers to come
    take("r-s");
    BOOST_TEST(done.empty());
    take("r-s");
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(done[0].get() == second);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_request_may_still_fail_quietly, scene)
{
    sent(2, 1s);
    auto second = sent(1, 5s);
    BOOST_TEST(queue.expire(start + 2s, gone).size() == 1u);
    take("e-a-s"
         "r-s");
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(!second->error);
}

BOOST_FIXTURE_TEST_CASE(a_late_request_is_told_once, scene)
{
    sent(1, 1s);
    BOOST_TEST(queue.expire(start + 2s, gone).size() == 1u);
    BOOST_TEST(queue.expire(start + 3s, gone).size() == 0u);
    BOOST_TEST(queue.lose(gone).size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_late_unsent_request_is_erased, scene)
{
    sent(1, 9s);
    add(1, 1s);
    auto patient = add(1, 5s);
    auto late = queue.expire(start + 2s, gone);
    BOOST_TEST(late.size() == 1u);
    BOOST_TEST(late[0]->error->what() == "gone");
    BOOST_TEST(queue.size() == 2u);
    BOOST_TEST(queue.next_to_send() == patient);
}

BOOST_FIXTURE_TEST_CASE(a_deadline_starts_anew_when_sent, scene)
{
    add(1, 1s);
    send(5s);
    BOOST_TEST(queue.expire(start + 2s, gone).empty());
    BOOST_TEST(queue.expire(start + 5s, gone).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lost_connection_fails_what_was_sent_and_keeps_what_was_not, scene)
{
    auto first = sent(1), second = sent(1);
    auto waiting = add(1);
    take("r-"); // answered, but whether it was committed is not known
    auto failed = queue.lose(gone);
    BOOST_TEST(failed.size() == 2u);
    BOOST_TEST(failed[0].get() == first);
    BOOST_TEST(failed[1].get() == second);
    BOOST_TEST(first->error->what() == "gone");
    BOOST_TEST(!queue.expects_answer());

    BOOST_TEST(send() == waiting); // the next connection
    take("r-s");
    BOOST_TEST(done[0].get() == waiting);
    BOOST_TEST(!waiting->error);
}

BOOST_FIXTURE_TEST_CASE(a_lost_connection_does_not_hide_the_error_that_came_before, scene)
{
    auto failing = sent(1);
    take("e");
    failing->error.emplace(failure_kind::unavailable, "terminating connection");
    auto failed = queue.lose(gone);
    BOOST_TEST(failed.size() == 1u);
    BOOST_TEST(failing->error->what() == "terminating connection");
}

BOOST_FIXTURE_TEST_CASE(refusing_gives_up_only_what_is_unsent, scene)
{
    auto on_its_way = sent(1);
    add(1);
    add(1);
    BOOST_TEST(queue.refuse(gone).size() == 2u);
    BOOST_TEST(queue.size() == 1u);
    take("r-s");
    BOOST_TEST(done[0].get() == on_its_way);
}

BOOST_FIXTURE_TEST_CASE(an_answer_nobody_asked_for_is_refused, scene)
{
    BOOST_CHECK_THROW(take("r"), failure);
    BOOST_CHECK_THROW(take("-"), failure);
    BOOST_CHECK_THROW(take("s"), failure);
    add(1); // asked, but not sent
    BOOST_CHECK_THROW(take("r"), failure);
}

BOOST_FIXTURE_TEST_CASE(too_few_and_too_many_answers_are_refused, scene)
{
    sent(2);
    BOOST_CHECK_THROW(take("r-s"), failure);
    take("r-");
    BOOST_CHECK_THROW(take("-"), failure);
    BOOST_CHECK_THROW(take("c"), failure);
}

BOOST_FIXTURE_TEST_CASE(parameters_are_let_go_of_once_sent, scene)
{
    auto on_its_way = sent(3);
    BOOST_TEST(on_its_way->work.size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
