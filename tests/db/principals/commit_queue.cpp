// Which transactions form a group, and how their statements and results are put together and taken apart.
#include "db/principals/commit_queue.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/row_security.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/random_generator.hpp>

#include <algorithm>
#include <string>

namespace {

const db::statement first{"test_queue_first", "SELECT 1"};
const db::statement second{"test_queue_second", "SELECT $1::int"};
const db::statement confined{"test_queue_confined", db::rows::of_one_workspace, "SELECT $1::text"};

db::uuid some_id()
{
    return boost::uuids::random_generator()();
}

db::grouped_commit_ref make(db::locked_rows rows, std::optional<db::uuid> workspace = {})
{
    auto out = std::make_shared<db::grouped_commit>();
    out->rows = std::move(rows);
    if (workspace)
        out->work.in_workspace(*workspace);
    return out;
}

db::grouped_commit_ref of_session(const db::uuid& id = some_id())
{
    return make({.session = id});
}

struct queue_fixture {
    db::commit_queue queue;
    std::uint64_t number = 0;

    db::commit_group take()
    {
        db::commit_group group;
        number = queue.take(group);
        return group;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(commit_queue, queue_fixture)

BOOST_AUTO_TEST_CASE(a_lone_transaction_is_sent_at_once)
{
    BOOST_TEST(queue.add(of_session()));
    BOOST_TEST(take().size() == 1u);
    BOOST_TEST(queue.size() == 0u);
    BOOST_TEST(!queue.end_of_turn(number));
    BOOST_TEST(queue.add(of_session()));
}

BOOST_AUTO_TEST_CASE(what_arrives_meanwhile_is_the_next_group)
{
    BOOST_TEST(queue.add(of_session()));
    take();
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(!queue.add(of_session()));
    BOOST_TEST(queue.end_of_turn(number));
    BOOST_TEST(!queue.add(of_session())); // before the group is taken
    BOOST_TEST(take().size() == 6u);
    BOOST_TEST(!queue.end_of_turn(number));
}

BOOST_AUTO_TEST_CASE(a_group_is_bounded_and_the_oldest_are_first)
{
    std::vector<db::grouped_commit_ref> all;
    for (std::size_t i = 0; i < db::commit_queue::max_members + 3; ++i) {
        all.push_back(of_session());
        BOOST_TEST(queue.add(all.back()) == (i == 0));
    }
    auto group = take();
    BOOST_TEST(group.size() == db::commit_queue::max_members);
    BOOST_TEST(std::ranges::equal(group, std::span(all).first(group.size())));
    BOOST_TEST(queue.end_of_turn(number));
    auto rest = take();
    BOOST_TEST(std::ranges::equal(rest, std::span(all).last(3)));
}

BOOST_AUTO_TEST_CASE(transactions_that_change_one_row_are_in_different_groups)
{
    auto session = some_id(), workspace = some_id(), other = some_id();
    db::digest digest{};
    std::vector<db::grouped_commit_ref> all{
        make({.workspace = workspace, .session = session}),
        make({.workspace = workspace, .api_key = "k"}),
        make({.api_key_digest = digest}),
        make({.session = session}),
        make({.workspace = other, .session = some_id()}),
        make({.workspace = workspace, .api_key = "k"}),
        make({.api_key_digest = digest}),
        make({.workspace = workspace, .api_key = "l"}),
    };
    for (auto& each : all)
        std::ignore = queue.add(each);
    auto group = take();
    BOOST_TEST((group == db::commit_group{all[0], all[1], all[2], all[4], all[7]}));
    BOOST_TEST(queue.end_of_turn(number));
    BOOST_TEST((take() == db::commit_group{all[3], all[5], all[6]}));
}

BOOST_AUTO_TEST_CASE(a_late_group_holds_up_no_others_and_ends_once)
{
    BOOST_TEST(queue.add(of_session()));
    take();
    auto late = number;
    BOOST_TEST(!queue.add(of_session()));
    BOOST_TEST(queue.end_of_turn(late));
    take();
    BOOST_TEST(number != late);
    BOOST_TEST(!queue.add(of_session()));
    BOOST_TEST(!queue.end_of_turn(late)); // its end does not end the turn of the next
    BOOST_TEST(queue.size() == 1u);
    BOOST_TEST(queue.end_of_turn(number));
    take();
    BOOST_TEST(!queue.end_of_turn(number));
    BOOST_TEST(!queue.end_of_turn(number));
}

BOOST_AUTO_TEST_CASE(a_group_is_the_locks_and_then_each_member_in_its_workspace)
{
    auto workspace = some_id(), other = some_id();
    auto a = make({.workspace = workspace, .api_key = "a"}, workspace);
    a->work.add(confined, "a").add(second, 2);
    auto b = make({.session = some_id()});
    b->work.add(first);
    auto c = make({.workspace = other, .api_key = "c"}, other);
    c->work.add(confined, "c");
    for (auto& each : {a, b, c})
        std::ignore = queue.add(each);
    auto group = take();
    BOOST_TEST((group == db::commit_group{b, a, c})); // those without a workspace first

    std::vector<std::size_t> results;
    auto work = db::combine(group, results);
    BOOST_TEST(!work.fault());
    BOOST_TEST(!work.workspace());
    std::vector<std::string> names;
    for (auto& each : work.commands())
        names.emplace_back(each.stmt->name());
    std::vector<std::string> expected{
        "commit_queue_lock_workspaces", "commit_queue_lock_sessions", "commit_queue_lock_keys",
        "commit_queue_lock_invites",    "test_queue_first",           db::set_workspace_role.name(),
        "test_queue_confined",          "test_queue_second",          db::set_workspace_role.name(),
        "test_queue_confined"};
    BOOST_TEST(names == expected, boost::test_tools::per_element());
    BOOST_TEST(results == (std::vector<std::size_t>{4, 6, 9}), boost::test_tools::per_element());

    db::params::pointers values;
    auto text_of = [&](std::size_t command) {
        work.parameters().point(work.commands()[command].first_param, work.commands()[command].param_count,
                                values);
        return std::string(values.values.front());
    };
    BOOST_TEST(text_of(6) == "a");
    BOOST_TEST(text_of(7) == "2");
    BOOST_TEST(text_of(9) == "c");
    BOOST_TEST(text_of(5) != text_of(8));
}

/// Answer all statements of a combined batch. @return the results in their order, which the members own now
std::vector<PGresult*> answer(const db::batch& work, const db::commit_group& group,
                              const std::vector<std::size_t>& positions)
{
    db::results answers;
    std::vector<PGresult*> all;
    for (std::size_t i = 0; i < work.size(); ++i) {
        all.push_back(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
        answers.add(db::result(all.back()));
    }
    db::distribute(answers, group, positions);
    return all;
}

BOOST_AUTO_TEST_CASE(each_member_gets_its_own_results)
{
    auto workspace = some_id();
    auto a = make({.session = some_id()});
    a->work.add(first).add(first);
    auto b = make({.workspace = workspace, .api_key = "b"}, workspace);
    b->work.add(confined, "b");
    std::vector<std::size_t> positions;
    auto work = db::combine({a, b}, positions);
    auto all = answer(work, {a, b}, positions);
    BOOST_TEST(a->answers.size() == 2u);
    BOOST_TEST(b->answers.size() == 1u);
    BOOST_TEST(a->answers[0].get() == all[positions[0]]);
    BOOST_TEST(a->answers[1].get() == all[positions[0] + 1]);
    BOOST_TEST(b->answers[0].get() == all.back());
}

// The group has locked its rows.
BOOST_AUTO_TEST_CASE(the_lock_statement_of_a_member_is_left_out)
{
    auto a = make({.session = some_id(), .lock_statement = &first}), b = of_session();
    a->work.add(first).add(second, 1);
    b->work.add(first);
    std::vector<std::size_t> positions;
    auto work = db::combine({a, b}, positions);
    BOOST_TEST(work.size() == positions[0] + 2);
    auto all = answer(work, {a, b}, positions);
    BOOST_TEST(a->answers.size() == 2u);
    BOOST_TEST(!a->answers[0]);
    BOOST_TEST(a->answers[1].get() == all[positions[0]]);
    BOOST_TEST(b->answers[0].get() == all.back());
}

BOOST_AUTO_TEST_CASE(no_batch_runs_in_the_workspace_of_the_one_before)
{
    db::batch in_one, in_none, faulty, work;
    in_one.in_workspace(some_id()).add(confined, "x");
    in_none.add(first);
    faulty.add(confined, "x");
    work.append(in_none);
    work.append(in_one);
    auto is_misuse = [](const db::failure& why) { return why.kind() == db::failure_kind::misuse; };
    BOOST_CHECK_EXCEPTION(work.append(in_none), db::failure, is_misuse);
    BOOST_CHECK_EXCEPTION(work.append(faulty), db::failure, is_misuse);
}

BOOST_AUTO_TEST_SUITE_END()
