// Matching answers to requests, without a database.
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
const db::statement other{"multiplexer_test_other", "SELECT 2"};
const failure gone(failure_kind::unavailable, "gone");

struct recorded final : db::request {
    using request::request;
    void finish() override {}
};

/// A multiplexer driven by single-character scripts.
struct multiplexer_fixture {
    db::multiplexer queue;
    db::prepared_statements prepared;
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

    /// Feed answers as libpq returns them: r rows, p a completed Parse, e error, a aborted, s sync, - the
    /// NULL that ends a statement.
    void take(std::string_view answers)
    {
        for (char answer : answers)
            if (auto finished = queue.take(fake(answer), prepared))
                done.push_back(std::move(finished));
    }

    static db::result fake(char answer)
    {
        switch (answer) {
        case 'r':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
        case 'p':
            return db::result(PQmakeEmptyPGresult(nullptr, PGRES_COMMAND_OK));
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

BOOST_FIXTURE_TEST_CASE(answers_come_back_in_the_order_of_the_requests, multiplexer_fixture)
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

BOOST_FIXTURE_TEST_CASE(a_request_is_done_only_with_its_sync, multiplexer_fixture)
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

BOOST_FIXTURE_TEST_CASE(an_empty_batch_is_a_sync_alone, multiplexer_fixture)
{
    sent(0);
    take("s");
    BOOST_TEST(done.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_error_stays_with_its_batch, multiplexer_fixture)
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

BOOST_FIXTURE_TEST_CASE(the_answers_of_a_prologue_are_discarded, multiplexer_fixture)
{
    auto first = add(2), second = add(1);
    queue.mark_sent(start + 2h, {.prologue = &anything});
    queue.mark_sent(start + 2h);
    take("r-r-r-s"
         "r-s");
    BOOST_TEST(done.size() == 2u);
    BOOST_TEST(first->answers.size() == 2u);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_error_of_the_prologue_fails_its_request, multiplexer_fixture)
{
    auto failing = add(2), after = add(0);
    queue.mark_sent(start + 2h, {.prologue = &anything});
    queue.mark_sent(start + 2h, {.prologue = &anything});
    take("e-a-a-s"
         "r-s");
    BOOST_TEST(done.size() == 2u);
    BOOST_TEST(failing->error.has_value());
    BOOST_TEST(failing->answers.size() == 0u);
    BOOST_TEST(!after->error);
    BOOST_TEST(after->answers.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(answers_to_parse_messages_precede_those_of_the_batch, multiplexer_fixture)
{
    BOOST_TEST(prepared.claim(anything));
    BOOST_TEST(prepared.claim(other));
    BOOST_TEST(!prepared.claim(anything)); // it is on its way
    auto first = add(2), second = add(1);
    queue.mark_sent(start + 2h, {.parses = 2});
    queue.mark_sent(start + 2h);
    take("p-s");
    BOOST_TEST(!prepared.claim(anything));
    take("e-s");
    BOOST_TEST(done.empty());
    BOOST_TEST(!prepared.refusal(anything));
    BOOST_REQUIRE(prepared.refusal(other));
    BOOST_TEST(prepared.claim(other)); // refused: the next use sends another
    take("r-r-s"
         "r-s");
    BOOST_TEST(done.size() == 2u);
    BOOST_TEST(!first->error); // a refused Parse fails what uses it
    BOOST_TEST(first->answers.size() == 2u);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_request_prepares_its_statements, multiplexer_fixture)
{
    prepared.claim(anything);
    add(1);
    queue.mark_sent(start + 1s, {.parses = 1});
    BOOST_TEST(queue.expire(start + 2s, gone).size() == 1u);
    auto second = sent(1, 5s);
    take("p-s"
         "r-s"
         "r-s");
    BOOST_TEST(!prepared.claim(anything));
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_parse_has_one_answer_and_a_sync)
{
    for (std::string_view wrong : {"-", "s", "r", "a", "c", "p-s", "p-r", "pa"}) {
        multiplexer_fixture own;
        if (wrong != "p-s")
            own.prepared.claim(anything); // else an answer without a question
        own.add(1);
        own.queue.mark_sent(own.start + 2h, {.parses = 1});
        BOOST_CHECK_THROW(own.take(wrong), failure);
    }
}

BOOST_FIXTURE_TEST_CASE(an_error_at_the_sync_of_a_parse_fails_the_request, multiplexer_fixture)
{
    prepared.claim(anything);
    auto failing = add(1);
    queue.mark_sent(start + 2h, {.parses = 1});
    take("p-e"); // the server ends the connection
    BOOST_TEST(failing->error.has_value());
    BOOST_TEST(!prepared.refusal(anything));
    BOOST_TEST(queue.fail_sent(gone).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_first_error_is_kept, multiplexer_fixture)
{
    auto failing = sent(2);
    take("e");
    failing->error.emplace(failure_kind::statement, "first");
    take("-e-s");
    BOOST_TEST(failing->error->what() == "first");
}

BOOST_FIXTURE_TEST_CASE(an_expired_sent_request_discards_only_its_own_answers, multiplexer_fixture)
{
    sent(2, 1s);
    auto second = sent(1, 5s);
    take("r-");
    auto late = queue.expire(start + 2s, gone);
    BOOST_TEST(late.size() == 1u);
    BOOST_TEST(late[0]->error->unavailable());
    BOOST_TEST(queue.size() == 2u); // its slot stays for the outstanding answers
    take("r-s");
    BOOST_TEST(done.empty());
    take("r-s");
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(done[0].get() == second);
    BOOST_TEST(second->answers.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_error_of_an_abandoned_request_is_discarded, multiplexer_fixture)
{
    sent(2, 1s);
    auto second = sent(1, 5s);
    BOOST_TEST(queue.expire(start + 2s, gone).size() == 1u);
    take("e-a-s"
         "r-s");
    BOOST_TEST(done.size() == 1u);
    BOOST_TEST(!second->error);
}

BOOST_FIXTURE_TEST_CASE(an_expired_request_is_returned_once, multiplexer_fixture)
{
    sent(1, 1s);
    BOOST_TEST(queue.expire(start + 2s, gone).size() == 1u);
    BOOST_TEST(queue.expire(start + 3s, gone).size() == 0u);
    BOOST_TEST(queue.fail_sent(gone).size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_failed_commit_ends_its_request_alone, multiplexer_fixture)
{
    auto first = sent(1), second = sent(1);
    take("r-e-s");
    BOOST_TEST_REQUIRE(done.size() == 1u);
    BOOST_TEST(done[0].get() == first);
    BOOST_TEST(first->error.has_value());
    take("r-s");
    BOOST_TEST_REQUIRE(done.size() == 2u);
    BOOST_TEST(done[1].get() == second);
    BOOST_TEST(!second->error.has_value());
}

BOOST_FIXTURE_TEST_CASE(no_more_than_one_end_follows_a_failed_commit, multiplexer_fixture)
{
    sent(1);
    take("r-e-");
    BOOST_CHECK_THROW(take("-"), db::failure);
}

BOOST_FIXTURE_TEST_CASE(an_expired_unsent_request_is_erased, multiplexer_fixture)
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

BOOST_FIXTURE_TEST_CASE(the_deadline_restarts_when_sent, multiplexer_fixture)
{
    add(1, 1s);
    send(5s);
    BOOST_TEST(queue.expire(start + 2s, gone).empty());
    BOOST_TEST(queue.expire(start + 5s, gone).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lost_connection_fails_sent_requests_and_keeps_unsent_ones, multiplexer_fixture)
{
    auto first = sent(1), second = sent(1);
    auto waiting = add(1);
    take("r-"); // answered, but possibly not committed
    auto failed = queue.fail_sent(gone);
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

BOOST_FIXTURE_TEST_CASE(a_lost_connection_keeps_an_earlier_error, multiplexer_fixture)
{
    auto failing = sent(1);
    take("e");
    failing->error.emplace(failure_kind::unavailable, "terminating connection");
    auto failed = queue.fail_sent(gone);
    BOOST_TEST(failed.size() == 1u);
    BOOST_TEST(failing->error->what() == "terminating connection");
}

BOOST_FIXTURE_TEST_CASE(fail_unsent_spares_sent_requests, multiplexer_fixture)
{
    auto on_its_way = sent(1);
    add(1);
    add(1);
    BOOST_TEST(queue.fail_unsent(gone).size() == 2u);
    BOOST_TEST(queue.size() == 1u);
    take("r-s");
    BOOST_TEST(done[0].get() == on_its_way);
}

BOOST_FIXTURE_TEST_CASE(an_unexpected_answer_is_a_protocol_desync, multiplexer_fixture)
{
    BOOST_CHECK_THROW(take("r"), failure);
    BOOST_CHECK_THROW(take("-"), failure);
    BOOST_CHECK_THROW(take("s"), failure);
    add(1); // queued, but not sent
    BOOST_CHECK_THROW(take("r"), failure);
}

BOOST_FIXTURE_TEST_CASE(too_few_or_too_many_answers_are_a_protocol_desync, multiplexer_fixture)
{
    sent(2);
    BOOST_CHECK_THROW(take("r-s"), failure);
    take("r-");
    BOOST_CHECK_THROW(take("-"), failure);
    BOOST_CHECK_THROW(take("c"), failure);
}

BOOST_FIXTURE_TEST_CASE(a_batch_is_kept_once_sent_for_another_attempt, multiplexer_fixture)
{
    auto on_its_way = sent(3);
    BOOST_TEST(on_its_way->work.size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
